public import PersistenceCore

extension PostgresTestServer {
    /// The throwaway certificates of a server with TLS: paths of PEM files in the server's folder, good for two days.
    public struct Certificates: Sendable, Equatable {
        /// The authority that signed the server's and the client's certificates.
        public let authority: String
        /// An authority that signed nothing here: with it, no certificate is trusted.
        public let strangeAuthority: String
        /// A client's certificate for the server's superuser.
        public let client: String
        /// The key of ``client``.
        public let clientKey: String

        init(folder: String) {
            self.authority = "\(folder)/authority.crt"
            self.strangeAuthority = "\(folder)/stranger.crt"
            self.client = "\(folder)/client.crt"
            self.clientKey = "\(folder)/client.key"
        }
    }

    /// What a server shows as its own certificate.
    @nonexhaustive
    public enum ServerCertificate: String, Sendable {
        /// One for `localhost` and 127.0.0.1.
        case localhost
        /// One that the same authority signed for `other.example`, so that a client that compares names refuses it.
        case anotherName
    }

    /// Arguments: the folder, the superuser's name.
    ///
    /// Elliptic curves, because RSA keys take seconds to make.
    static let certificateScript = #"""
        set -eu
        umask 077
        mkdir -p "$1"
        cd "$1"
        authority() {
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -sha256 \
                -keyout "$1.key" -out "$1.crt" -subj "/CN=$1 of a test" 2>&1
        }
        certificate() { # NAME COMMON-NAME EXTENSIONS SERIAL
            openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -sha256 \
                -keyout "$1.key" -out "$1.csr" -subj "/CN=$2" 2>&1
            printf '%b\n' "$3" >"$1.ext"
            openssl x509 -req -in "$1.csr" -CA authority.crt -CAkey authority.key -set_serial "$4" -days 2 -sha256 \
                -extfile "$1.ext" -out "$1.crt" 2>&1
        }
        authority authority
        authority stranger
        certificate localhost localhost 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth' 1
        certificate anotherName other.example 'subjectAltName=DNS:other.example\nextendedKeyUsage=serverAuth' 2
        certificate client "$2" 'extendedKeyUsage=clientAuth' 3
        """#

    /// Makes the server show another certificate to those who connect from now on.
    ///
    /// - Parameter certificate: The certificate.
    /// - Throws: ``PersistenceError`` with the code `invalidArgument` when the server has no TLS or is not running.
    public func present(_ certificate: ServerCertificate) async throws(PersistenceError) {
        guard certificates != nil else {
            throw PersistenceError(.invalidArgument, "this server has no TLS", operation: "server.present")
        }
        let folder = certificateFolder
        try await query("ALTER SYSTEM SET ssl_cert_file = '\(folder)/\(certificate.rawValue).crt'")
        try await query("ALTER SYSTEM SET ssl_key_file = '\(folder)/\(certificate.rawValue).key'")
        try await query("SELECT pg_reload_conf()")
        // That only sent a signal. A session that begins after the postmaster has read the files has its settings from
        // there; mostly the first one asked does.
        for _ in 1...100 where try await query("SHOW ssl_key_file") == "\(folder)/\(certificate.rawValue).key" {
            return
        }
        throw PersistenceError(.server, "the server does not show another certificate", operation: "server.present")
    }
}
