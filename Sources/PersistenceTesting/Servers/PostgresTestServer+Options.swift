extension PostgresTestServer {
    /// What a private server is like.
    public struct Options: Sendable {
        /// Settings of `postgresql.conf` beyond the server's own, by name.
        ///
        /// They win over everything that is set here.
        public var settings: [String: String]

        /// Lines of `pg_hba.conf`, which are tried before the server's own: those let everybody in over the Unix socket,
        /// and ask for a password over TCP.
        public var hostBasedAuthentication: [String]

        /// Whether the server offers TLS; see ``PostgresTestServer/certificates``.
        public var isTLSEnabled: Bool

        /// The superuser.
        public var username: String

        /// The database that is made.
        public var database: String

        /// The PostgreSQL to run; `nil` takes the newest that is installed.
        public var installation: PostgresInstallation?

        /// Further arguments of `initdb`.
        package var initialization: [String] = []

        /// Settings that depend on where the server is: on the folder of its socket, and its port.
        package var settingsByPlace: (@Sendable (_ socketFolder: String, _ port: Int) -> [String: String])?

        /// Describes a server.
        ///
        /// - Parameters:
        ///   - settings: Settings of `postgresql.conf`, by name.
        ///   - hostBasedAuthentication: Lines of `pg_hba.conf`, which are tried before the server's own.
        ///   - isTLSEnabled: Whether the server offers TLS.
        ///   - username: The superuser.
        ///   - database: The database that is made.
        ///   - installation: The PostgreSQL to run; `nil` takes the newest that is installed.
        public init(
            settings: [String: String] = [:],
            hostBasedAuthentication: [String] = [],
            isTLSEnabled: Bool = false,
            username: String = "admin",
            database: String = "test",
            installation: PostgresInstallation? = nil
        ) {
            self.settings = settings
            self.hostBasedAuthentication = hostBasedAuthentication
            self.isTLSEnabled = isTLSEnabled
            self.username = username
            self.database = database
            self.installation = installation
        }
    }

    /// How a server is asked to stop.
    @nonexhaustive
    public enum StopMode: String, Sendable {
        /// Ends every session and writes everything down first.
        case fast
        /// Ends at once, as in a crash; the next start recovers from the write-ahead log.
        case immediate
    }
}
