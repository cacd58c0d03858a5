public import PersistenceCore

/// How connections are encrypted, and how the two sides prove who they are.
///
/// Source: the TLS options of the MongoDB URI options specification.
public struct MongoTLS: Sendable, Equatable {
    /// Whether connections are encrypted at all.
    public var isEnabled: Bool

    /// The file, in PEM format, with the authorities that may sign the server's certificate; without one, those that the
    /// operating system trusts.
    public var authorityFile: String?

    /// The file, in PEM format, with the client's certificate and its key.
    public var clientCertificateKeyFile: String?

    /// The password of an encrypted key.
    public var clientKeyPassword: Secret?

    /// Whether a certificate that no trusted authority signed is accepted; for development alone.
    public var allowsInvalidCertificates: Bool

    /// Whether a certificate that was issued for another host is accepted; for development alone.
    public var allowsInvalidHostnames: Bool

    /// Creates settings.
    ///
    /// - Parameters:
    ///   - isEnabled: Whether connections are encrypted.
    ///   - authorityFile: The file with the trusted authorities.
    ///   - clientCertificateKeyFile: The file with the client's certificate and key.
    ///   - clientKeyPassword: The password of an encrypted key.
    ///   - allowsInvalidCertificates: Whether anybody's signature is accepted.
    ///   - allowsInvalidHostnames: Whether another host's certificate is accepted.
    public init(
        isEnabled: Bool = true, authorityFile: String? = nil, clientCertificateKeyFile: String? = nil,
        clientKeyPassword: Secret? = nil, allowsInvalidCertificates: Bool = false, allowsInvalidHostnames: Bool = false
    ) {
        self.isEnabled = isEnabled
        self.authorityFile = authorityFile
        self.clientCertificateKeyFile = clientCertificateKeyFile
        self.clientKeyPassword = clientKeyPassword
        self.allowsInvalidCertificates = allowsInvalidCertificates
        self.allowsInvalidHostnames = allowsInvalidHostnames
    }

    /// No encryption.
    public static let disabled = MongoTLS(isEnabled: false)

    /// Encryption, with the server's certificate checked against the authorities that the operating system trusts.
    public static let required = MongoTLS()
}

extension MongoTLS: CustomStringConvertible, CustomDebugStringConvertible {
    /// Whether connections are encrypted, and what is not checked.
    public var description: String {
        guard isEnabled else { return "off" }
        var text = "on"
        if allowsInvalidCertificates { text += ", any certificate" }
        if allowsInvalidHostnames { text += ", any host name" }
        return text
    }

    /// The settings; of a key's password only whether there is one.
    public var debugDescription: String {
        var parts = [description]
        if let authorityFile { parts.append("authorities \(authorityFile)") }
        if let clientCertificateKeyFile { parts.append("certificate and key \(clientCertificateKeyFile)") }
        if clientKeyPassword != nil { parts.append("with key password") }
        return "MongoTLS(\(parts.joined(separator: ", ")))"
    }
}
