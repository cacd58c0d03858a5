extension PostgresConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Role, hosts, database and TLS mode; no secrets.
    public var description: String {
        let list = hosts.map(\.description).joined(separator: ",")
        return "\(user)@\(list)/\(database) (TLS: \(tls.mode.keyword))"
    }

    /// The settings, with the names alone where a value could be a secret.
    public var debugDescription: String {
        var parts = [
            "hosts: \(hosts.map(\.description))", "hostOrder: \(hostOrder)", "targetSession: \(targetSession)",
            "user: \(user)", "password: \(password == nil ? "none" : "given")", "database: \(database)",
            "tls: \(tls.debugDescription)", "connectTimeout: \(connectTimeout)", "keepAlive: \(keepAlive)",
            "applicationName: \(applicationName ?? Self.defaultApplicationName)",
            "sessionParameters: \(sessionParameters.keys.sorted())", "statementCacheSize: \(statementCacheSize)",
            "statementMode: \(statementMode)", "cancellationGrace: \(cancellationGrace)", "pool: \(pool)",
            "shutdownTimeout: \(shutdownTimeout)",
        ]
        if let tcpUserTimeout { parts.append("tcpUserTimeout: \(tcpUserTimeout)") }
        if let statementTimeout { parts.append("statementTimeout: \(statementTimeout)") }
        if gssEncryption != .disable { parts.append("gssEncryption: \(gssEncryption)") }
        if !otherKeywords.isEmpty { parts.append("otherKeywords: \(otherKeywords.keys.sorted())") }
        return "PostgresConfiguration(\(parts.joined(separator: ", ")))"
    }

    /// Hides the settings themselves from `dump` and from test failure output.
    public var customMirror: Mirror {
        Mirror(self, children: ["description": debugDescription])
    }
}

extension PostgresTLS: CustomStringConvertible, CustomDebugStringConvertible {
    /// The mode.
    public var description: String { mode.keyword }

    /// The settings; of a key's password only whether there is one.
    public var debugDescription: String {
        var parts = [mode.keyword, "from \(minimumVersion.rawValue)"]
        if let rootCertificate { parts.append("root \(rootCertificate.keyword)") }
        if let clientCertificate { parts.append("certificate \(clientCertificate)") }
        if let clientKey { parts.append("key \(clientKey)") }
        if clientKeyPassword != nil { parts.append("with key password") }
        return "PostgresTLS(\(parts.joined(separator: ", ")))"
    }
}
