public import PersistenceCore

/// How a connection is encrypted, and how the two sides prove who they are.
///
/// See [SSL Support](https://www.postgresql.org/docs/current/libpq-ssl.html) in the PostgreSQL manual for what each mode
/// protects against.
public struct PostgresTLS: Sendable, Equatable {
    /// How much protection is asked for.
    @nonexhaustive
    public enum Mode: String, Sendable, Hashable, CaseIterable {
        /// Never encrypt.
        case disable
        /// Encrypt only when the server insists.
        case allow
        /// Encrypt when the server can; protects against nobody who can change packets.
        case prefer
        /// Encrypt always, without checking whom one talks to.
        case require
        /// Encrypt, and check that a trusted authority signed the server's certificate.
        case verifyCA
        /// Encrypt, check the certificate's signature, and that it was issued for the host's name.
        case verifyFull
    }

    /// Which authorities may sign a server's certificate.
    @nonexhaustive
    public enum RootCertificate: Sendable, Hashable {
        /// The authorities of a file in PEM format.
        case file(String)
        /// The authorities that the operating system trusts; needs libpq 16 or later and ``Mode/verifyFull``.
        case system
    }

    /// A version of the TLS protocol.
    @nonexhaustive
    public enum ProtocolVersion: String, Sendable, Hashable, CaseIterable, Comparable {
        /// TLS 1.0, withdrawn by RFC 8996.
        case tlsv1 = "TLSv1"
        /// TLS 1.1, withdrawn by RFC 8996.
        case tlsv11 = "TLSv1.1"
        /// TLS 1.2.
        case tlsv12 = "TLSv1.2"
        /// TLS 1.3.
        case tlsv13 = "TLSv1.3"

        /// Whether one version is older than another.
        public static func < (left: Self, right: Self) -> Bool {
            left.rawValue < right.rawValue
        }
    }

    /// How much protection is asked for.
    public var mode: Mode

    /// Which authorities may sign the server's certificate.
    ///
    /// Without one libpq uses `~/.postgresql/root.crt` where that file exists; the verifying modes refuse to connect where
    /// it does not. With ``Mode/require`` a root certificate has the effect of ``Mode/verifyCA``.
    public var rootCertificate: RootCertificate?

    /// The path of the client's certificate (PEM), for servers that ask for one.
    public var clientCertificate: String?

    /// The path of the client certificate's private key (PEM); libpq refuses a file that others can read.
    public var clientKey: String?

    /// The password of an encrypted ``clientKey``.
    public var clientKeyPassword: Secret?

    /// The oldest protocol version that is accepted.
    public var minimumVersion: ProtocolVersion

    /// Creates TLS settings.
    ///
    /// - Parameters:
    ///   - mode: How much protection is asked for.
    ///   - rootCertificate: Which authorities may sign the server's certificate.
    ///   - clientCertificate: The path of the client's certificate.
    ///   - clientKey: The path of its private key.
    ///   - clientKeyPassword: The password of an encrypted key.
    ///   - minimumVersion: The oldest protocol version that is accepted.
    public init(
        _ mode: Mode,
        rootCertificate: RootCertificate? = nil,
        clientCertificate: String? = nil,
        clientKey: String? = nil,
        clientKeyPassword: Secret? = nil,
        minimumVersion: ProtocolVersion = .tlsv12
    ) {
        self.mode = mode
        self.rootCertificate = rootCertificate
        self.clientCertificate = clientCertificate
        self.clientKey = clientKey
        self.clientKeyPassword = clientKeyPassword
        self.minimumVersion = minimumVersion
    }

    /// Never encrypt.
    public static var disable: PostgresTLS { PostgresTLS(.disable) }

    /// Encrypt when the server can, which is what libpq does unless told otherwise.
    public static var prefer: PostgresTLS { PostgresTLS(.prefer) }

    /// Encrypt always, without checking whom one talks to.
    public static var require: PostgresTLS { PostgresTLS(.require) }

    /// Encrypt, and check certificate and host name.
    ///
    /// - Parameter rootCertificate: Which authorities may sign the server's certificate.
    /// - Returns: The settings.
    public static func verifyFull(rootCertificate: RootCertificate) -> PostgresTLS {
        PostgresTLS(.verifyFull, rootCertificate: rootCertificate)
    }
}

extension PostgresTLS.Mode {
    /// The value of libpq's `sslmode`.
    var keyword: String {
        switch self {
        case .disable: "disable"
        case .allow: "allow"
        case .prefer: "prefer"
        case .require: "require"
        case .verifyCA: "verify-ca"
        case .verifyFull: "verify-full"
        }
    }

    /// The mode that a value of libpq's `sslmode` means.
    init?(keyword: String) {
        guard let mode = Self.allCases.first(where: { $0.keyword == keyword }) else { return nil }
        self = mode
    }

    /// Whether the server's certificate is checked.
    var verifies: Bool { self == .verifyCA || self == .verifyFull }
}

extension PostgresTLS.RootCertificate {
    /// The value of libpq's `sslrootcert`.
    var keyword: String {
        switch self {
        case .file(let path): path
        case .system: "system"
        }
    }
}
