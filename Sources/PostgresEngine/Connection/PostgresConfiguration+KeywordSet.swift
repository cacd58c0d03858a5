internal import CLibPQ
internal import PersistenceCore

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension PostgresConfiguration {
    /// Makes a configuration of libpq's keywords.
    ///
    /// - Parameters:
    ///   - set: The keywords and values.
    ///   - faults: Takes what is wrong; the configuration is of use only when nothing was added.
    init(_ set: PostgresKeywordSet, faults: inout ConfigurationFaults) {
        let user = set["user"] ?? Self.operatingSystemUser() ?? ""
        self.init(
            hosts: Self.hosts(set, &faults),
            user: user,
            password: set["password"].map { Secret($0) },
            database: set["dbname"] ?? user)
        if user.isEmpty {
            faults.add(key: set.key("user"), "is missing, and the operating system has no name for the process's user")
        }
        applicationName = set["application_name"]
        readSession(set, &faults)
        readTLS(set, &faults)
        readNetwork(set, &faults)
        for keyword in set.keywords where !Self.keywordsWithProperty.contains(keyword) {
            otherKeywords[keyword] = set[keyword]
        }
        for (keyword, reason) in Self.refusedKeywords where set[keyword] != nil {
            faults.add(key: set.key(keyword), reason)
        }
    }

    private static let keywordsWithProperty: Set<String> = [
        "host", "hostaddr", "port", "user", "password", "dbname", "application_name", "client_encoding",
        "target_session_attrs", "load_balance_hosts", "gssencmode", "connect_timeout", "keepalives", "keepalives_idle",
        "keepalives_interval", "keepalives_count", "tcp_user_timeout", "sslmode", "sslrootcert", "sslcert", "sslkey",
        "sslpassword", "ssl_min_protocol_version", "service", "servicefile", "replication",
    ]

    private static let refusedKeywords: [(keyword: String, reason: String)] = [
        ("service", "is not supported in a connection string; use PGSERVICE with the environment's defaults"),
        ("replication", "is not supported: replication connections speak another protocol"),
    ]

    // MARK: Hosts

    /// Follows libpq's rules for lists: as many addresses as names, and one port for all or one for each.
    private static func hosts(_ set: PostgresKeywordSet, _ faults: inout ConfigurationFaults) -> [PostgresHost] {
        let names = list(set["host"])
        let addresses = list(set["hostaddr"])
        let ports = list(set["port"])
        if let names, let addresses, names.count != addresses.count {
            faults.add(key: set.key("hostaddr"), "does not have as many entries as there are hosts")
            return []
        }
        let count = addresses?.count ?? names?.count ?? 1
        if let ports, ports.count != 1, ports.count != count {
            faults.add(key: set.key("port"), "has neither one entry nor one for each host")
            return []
        }
        return (0..<count).map { index in
            var port = PostgresHost.defaultPort
            if let ports {
                let text = ports.count == 1 ? ports[0] : ports[index]
                if let number = text.isEmpty ? port : integer(text), (1...65_535).contains(number) {
                    port = number
                } else {
                    faults.add(key: set.key("port"), "is not from 1 to 65535")
                }
            }
            return host(name: names?[index] ?? "", address: addresses?[index] ?? "", port: port)
        }
    }

    static func host(name: String, address: String, port: Int) -> PostgresHost {
        if !address.isEmpty {
            // libpq connects to the address even where the name is a socket directory.
            return name.isEmpty || isSocketDirectory(name)
                ? PostgresHost(address: address, port: port)
                : PostgresHost(name, port: port, address: address)
        }
        if name.isEmpty { return PostgresHost(socketDirectory: defaultSocketDirectory, port: port) }
        return isSocketDirectory(name)
            ? PostgresHost(socketDirectory: name, port: port)
            : PostgresHost(name, port: port)
    }

    private static func isSocketDirectory(_ name: String) -> Bool {
        name.hasPrefix("/") || name.hasPrefix("@")
    }

    /// Where Debian's servers, and those of most distributions, have their socket; else where PostgreSQL's own has it.
    static var defaultSocketDirectory: String {
        let packaged = "/var/run/postgresql"
        return access(packaged, X_OK) == 0 ? packaged : "/tmp"
    }

    private static func list(_ text: String?) -> [String]? {
        text?.split(separator: ",", omittingEmptySubsequences: false).map { String($0) }
    }

    // MARK: Session

    private mutating func readSession(_ set: PostgresKeywordSet, _ faults: inout ConfigurationFaults) {
        if let text = set["target_session_attrs"] {
            if let target = TargetSession(keyword: text) {
                targetSession = target
            } else {
                let choices = TargetSession.allCases.map(\.keyword).joined(separator: ", ")
                faults.add(key: set.key("target_session_attrs"), "is not one of \(choices)")
            }
        }
        switch set["load_balance_hosts"] {
        case nil, "disable": break
        case "random": hostOrder = .shuffled
        default: faults.add(key: set.key("load_balance_hosts"), "is not one of disable, random")
        }
        if let text = set["gssencmode"] {
            if let mode = GSSEncryption(rawValue: text) {
                gssEncryption = mode
            } else {
                faults.add(key: set.key("gssencmode"), "is not one of disable, prefer, require")
            }
        }
        let unicode: Set<String> = ["utf8", "utf-8", "unicode", "auto"]
        if let encoding = set["client_encoding"], !unicode.contains(encoding.lowercased()) {
            faults.add(key: set.key("client_encoding"), "is not UTF8, the only encoding of Swift's strings")
        }
    }

    // MARK: TLS

    private mutating func readTLS(_ set: PostgresKeywordSet, _ faults: inout ConfigurationFaults) {
        if let text = set["sslmode"] {
            if let mode = PostgresTLS.Mode(keyword: text) {
                tls.mode = mode
            } else {
                let choices = PostgresTLS.Mode.allCases.map(\.keyword).joined(separator: ", ")
                faults.add(key: set.key("sslmode"), "is not one of \(choices)")
            }
        }
        if let text = set["ssl_min_protocol_version"] {
            if let version = PostgresTLS.ProtocolVersion(keyword: text) {
                tls.minimumVersion = version
            } else {
                let choices = PostgresTLS.ProtocolVersion.allCases.map(\.rawValue).joined(separator: ", ")
                faults.add(key: set.key("ssl_min_protocol_version"), "is not one of \(choices)")
            }
        }
        tls.rootCertificate = set["sslrootcert"].map { $0 == "system" ? .system : .file($0) }
        tls.clientCertificate = set["sslcert"]
        tls.clientKey = set["sslkey"]
        tls.clientKeyPassword = set["sslpassword"].map { Secret($0) }
    }

    // MARK: Network

    private mutating func readNetwork(_ set: PostgresKeywordSet, _ faults: inout ConfigurationFaults) {
        func number(_ keyword: String) -> Int? {
            guard let text = set[keyword] else { return nil }
            if let number = Self.integer(text) { return number }
            faults.add(key: set.key(keyword), "is not a whole number that fits 32 bits")
            return nil
        }
        // 0 and below mean "none" or "the system's own" for libpq.
        func positive(_ keyword: String) -> Int? { number(keyword).flatMap { $0 > 0 ? $0 : nil } }
        if set["connect_timeout"] != nil {
            // For libpq 0 is for ever, which no caller of a server can want; it gets the longest that is allowed.
            connectTimeout = positive("connect_timeout").map { .seconds($0) } ?? Self.connectTimeoutLimit
        }
        keepAlive.isEnabled = number("keepalives") != 0
        keepAlive.idle = positive("keepalives_idle").map { .seconds($0) }
        keepAlive.interval = positive("keepalives_interval").map { .seconds($0) }
        keepAlive.count = positive("keepalives_count")
        tcpUserTimeout = positive("tcp_user_timeout").map { .milliseconds($0) }
    }

    /// A number as libpq reads one: of 32 bits, with white space around it.
    private static func integer(_ text: String) -> Int? {
        let isSpace = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
        let bytes = text.utf8.drop(while: isSpace).reversed().drop(while: isSpace).reversed()
        return Int32(String(decoding: Array(bytes), as: UTF8.self)).map { Int($0) }
    }

    /// The name of the process's user, which is libpq's default for the role.
    private static func operatingSystemUser() -> String? {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16_384) { buffer -> String? in
            guard let start = buffer.baseAddress,
                getpwuid_r(geteuid(), &entry, start, buffer.count, &found) == 0, found != nil, let name = entry.pw_name
            else { return nil }
            return String(cString: name)
        }
    }
}
