internal import PersistenceCore

extension PostgresConfiguration {
    /// A keyword and its value, as libpq's `PQconnectStartParams` takes them.
    package typealias Keyword = (keyword: String, value: String)

    /// The parameters that open a connection to one host at one address.
    ///
    /// Pass them with `expand_dbname` 0: the database's name must never be read as a connection string. The list holds
    /// the password, so it must not be logged.
    ///
    /// libpq skips empty values and then asks the `PG…` variables of the environment; therefore everything that decides
    /// where to connect, as whom and how safely is always given.
    ///
    /// - Parameters:
    ///   - host: The host to connect to.
    ///   - address: The numeric address that the host's name was resolved to; `nil` for Unix sockets.
    ///   - targetSession: Which kind of server is wanted, where that differs from the configuration's own: a connector
    ///     that prefers a standby asks all hosts for `standby` first, and for `any` after that.
    /// - Returns: The keywords and values.
    package func keywords(
        for host: PostgresHost,
        address: String?,
        targetSession: TargetSession? = nil
    ) -> [Keyword] {
        var list: [Keyword] = []
        func add(_ keyword: String, _ value: String?) {
            if let value, !value.isEmpty { list.append((keyword, value)) }
        }
        if let directory = host.socketDirectory {
            add("host", directory)
        } else {
            // Both: libpq connects to the address and compares the certificate with the name.
            add("host", host.name)
            add("hostaddr", address ?? host.address)
        }
        add("port", String(host.port))
        add("user", user)
        add("password", password?.reveal())
        add("dbname", database)
        add("client_encoding", "UTF8")
        add("application_name", applicationName)
        if otherKeywords["fallback_application_name"] == nil {
            add("fallback_application_name", Self.defaultApplicationName)
        }
        add("options", startupOptions)
        add("target_session_attrs", (targetSession ?? self.targetSession).keyword)
        add("gssencmode", gssEncryption.rawValue)
        addTLS(add)
        addNetwork(add)
        for (keyword, value) in otherKeywords.sorted(by: { $0.key < $1.key }) where keyword != "options" {
            add(keyword, value)
        }
        return list
    }

    private func addTLS(_ add: (String, String?) -> Void) {
        add("sslmode", tls.mode.keyword)
        add("ssl_min_protocol_version", tls.minimumVersion.rawValue)
        add("sslrootcert", tls.rootCertificate?.keyword)
        add("sslcert", tls.clientCertificate)
        add("sslkey", tls.clientKey)
        if tls.mode != .disable {
            // Without any password OpenSSL would ask for the one of an encrypted key on the terminal, and block there.
            add("sslpassword", tls.clientKeyPassword?.reveal() ?? " ")
        }
    }

    private func addNetwork(_ add: (String, String?) -> Void) {
        add("keepalives", keepAlive.isEnabled ? "1" : "0")
        add("keepalives_idle", keepAlive.idle.map { String(max(1, $0.components.seconds)) })
        add("keepalives_interval", keepAlive.interval.map { String(max(1, $0.components.seconds)) })
        add("keepalives_count", keepAlive.count.map { String($0) })
        add("tcp_user_timeout", tcpUserTimeout.map { String(max(1, $0.wholeMilliseconds)) })
    }

    /// The application's name where none is configured.
    static var defaultApplicationName: String { "swift-persistence" }

    /// The value of libpq's `options`: the session's parameters as command line switches of the server.
    ///
    /// The server splits the text at white space, and takes a backslash as "the next character belongs to the word"
    /// (`pg_split_opts` in the server; libpq's chapter on `options`).
    var startupOptions: String? {
        var words: [String] = []
        if let given = otherKeywords["options"] { words.append(given) }
        for (name, value) in sessionParameters.sorted(by: { $0.key < $1.key }) {
            words.append("-c \(name)=\(Self.escapingOption(value))")
        }
        return words.isEmpty ? nil : words.joined(separator: " ")
    }

    private static func escapingOption(_ value: String) -> String {
        var escaped = String.UnicodeScalarView()
        for scalar in value.unicodeScalars {
            // isspace() of the C locale, and the escape itself.
            switch scalar {
            case "\\", " ", "\t", "\n", "\r", "\u{0B}", "\u{0C}": escaped.append("\\")
            default: break
            }
            escaped.append(scalar)
        }
        return String(escaped)
    }
}

extension Duration {
    /// The duration in milliseconds, without the fraction, at the ends of the range where it does not fit.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        if overflow { return seconds < 0 ? .min : .max }
        let (sum, overflowed) = product.addingReportingOverflow(attoseconds / 1_000_000_000_000_000)
        if overflowed { return seconds < 0 ? .min : .max }
        return sum
    }
}
