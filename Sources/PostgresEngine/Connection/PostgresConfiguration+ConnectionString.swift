public import PersistenceCore

extension PostgresConfiguration {
    /// Whether libpq's variables of the process's environment fill in what a connection string leaves out.
    @nonexhaustive
    public enum EnvironmentUse: Sendable, Hashable {
        /// No: what the string leaves out has this library's defaults.
        case ignored
        /// Yes: `PGHOST`, `PGUSER`, `PGPASSWORD` and the others of libpq's chapter "Environment Variables".
        case defaults
    }

    /// Reads a connection URI, such as `postgres://role:password@first:5432,second:5432/database?sslmode=verify-full`.
    ///
    /// libpq's own parser reads it, so that all that libpq accepts is accepted: several hosts, percent-encoding, Unix
    /// sockets and every keyword as a parameter. See
    /// [Connection URIs](https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS). A URI that
    /// names no host means the local Unix socket.
    ///
    /// - Parameters:
    ///   - uri: The URI.
    ///   - environment: Whether `PG…` variables fill in what the URI leaves out.
    /// - Throws: ``PersistenceError`` with the code `configuration`, naming everything that is wrong, and quoting no
    ///   value of the URI.
    public init(uri: String, environment: EnvironmentUse = .ignored) throws(PersistenceError) {
        try self.init(parsing: uri, key: "uri", mustBeURI: true, environment: environment)
    }

    /// Reads a connection string of either kind: a URI, or keywords and values such as `host=db user=app`.
    ///
    /// - Parameters:
    ///   - connectionString: The text.
    ///   - environment: Whether `PG…` variables fill in what the text leaves out.
    /// - Throws: ``PersistenceError`` with the code `configuration`, naming everything that is wrong, and quoting no
    ///   value of the text.
    public init(
        connectionString: String, environment: EnvironmentUse = .ignored
    ) throws(PersistenceError) {
        try self.init(parsing: connectionString, key: "connection string", mustBeURI: false, environment: environment)
    }

    /// Reads libpq's variables of the process's environment: `PGHOST`, `PGPORT`, `PGUSER`, `PGDATABASE` and the others.
    ///
    /// - Returns: The configuration.
    /// - Throws: ``PersistenceError`` with the code `configuration`, naming everything that is wrong.
    public static func fromEnvironment() throws(PersistenceError) -> PostgresConfiguration {
        var faults = ConfigurationFaults()
        let configuration = PostgresConfiguration(try PostgresKeywordSet.environment(), faults: &faults)
        configuration.check(&faults)
        try faults.throwIfAny()
        return configuration
    }

    private init(
        parsing text: String, key: String, mustBeURI: Bool, environment: EnvironmentUse
    ) throws(PersistenceError) {
        var faults = ConfigurationFaults()
        if mustBeURI, !text.isEmpty, !PostgresKeywordSet.isURI(text) {
            faults.add(key: key, "does not begin with postgres:// or postgresql://")
            try faults.throwIfAny()
        }
        var set = PostgresKeywordSet(connectionString: text, key: key, faults: &faults) ?? PostgresKeywordSet()
        try faults.throwIfAny()
        if environment == .defaults {
            set.addMissing(from: try PostgresKeywordSet.environment())
        }
        self.init(set, faults: &faults)
        check(&faults)
        try faults.throwIfAny()
    }
}
