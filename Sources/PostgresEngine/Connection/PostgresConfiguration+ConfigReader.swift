public import Configuration
public import PersistenceCore

extension PostgresConfiguration {
    /// Reads a configuration.
    ///
    /// The keys are relative to the reader: pass `config.scoped(to: "postgres")` for `postgres.url`, which an environment
    /// provider reads from `POSTGRES_URL`.
    ///
    /// ## Configuration keys
    ///
    /// Either `url`, or `host` (or `hosts`) and `user`; what a URL says already must not be said again by a key.
    ///
    /// - `url` (secret): A connection URI or keyword/value string, see ``init(uri:environment:)``.
    /// - `host`: A host's name or address, or the directory of a Unix socket.
    /// - `hosts`: Several of them, separated by commas, each with or without a port: `first:5432,[::1]:5433`.
    /// - `port`: The port of hosts that name none. 5432 by default.
    /// - `hostOrder`: `listed` (default) or `shuffled`.
    /// - `targetSession`: `any` (default), `read-write`, `read-only`, `primary`, `standby` or `prefer-standby`.
    /// - `user`: The role.
    /// - `password` (secret): The role's password, where it needs one. May accompany a `url` without one.
    /// - `database`: The database; the one named like the role by default.
    /// - `tls.mode`: `disable`, `allow`, `prefer` (default), `require`, `verify-ca` or `verify-full`.
    /// - `tls.rootCertificate`: The file with the trusted authorities, or `system` (libpq 16 or later).
    /// - `tls.clientCertificate`, `tls.clientKey`: The files of the client's certificate and key.
    /// - `tls.clientKeyPassword` (secret): The password of an encrypted key.
    /// - `tls.minimumVersion`: `TLSv1`, `TLSv1.1`, `TLSv1.2` (default) or `TLSv1.3`.
    /// - `gssEncryption`: `disable` (default), `prefer` or `require`.
    /// - `connectTimeout`: The longest time for one host, such as `10s` (default).
    /// - `keepAlive.enabled`, `keepAlive.idle`, `keepAlive.interval`, `keepAlive.count`: See ``KeepAlive``.
    /// - `tcpUserTimeout`: See ``tcpUserTimeout``.
    /// - `applicationName`: See ``applicationName``.
    /// - `sessionParameters`: Server parameters, separated by semicolons: `search_path=app,public; lock_timeout=5s`.
    /// - `statementCacheSize`: How many prepared statements a connection keeps. 256 by default, 0 for none.
    /// - `statementMode`: `prepared` (default) or `unnamed`.
    /// - `statementTimeout`: How long an operation may take when its caller sets no deadline. For ever by default.
    /// - `cancellationGrace`: How long to wait for a cancelled statement to end. `5s` by default.
    /// - `shutdownTimeout`: How long connections in use may take to come back at shutdown. `10s` by default.
    /// - `pool.minimum`, `pool.maximum`, `pool.overflow`, `pool.acquireTimeout` and the others of
    ///   ``PostgresPoolConfiguration``.
    ///
    /// - Parameter config: The reader.
    /// - Throws: ``PersistenceError`` with the code `configuration`, naming everything that is wrong, and no value.
    public init(config: ConfigReader) throws(PersistenceError) {
        var faults = ConfigurationFaults()
        let url = faults.string(forKey: "url", from: config, isSecret: true)
        let parsed = url.flatMap {
            PostgresKeywordSet(connectionString: $0, key: "url", prefix: "url's ", faults: &faults)
        }
        var keys = ConfigurationKeys(config: config, set: parsed ?? PostgresKeywordSet(), faults: faults)
        let hosts = keys.hosts(hasURL: url != nil)
        keys.readKeywords()
        if url == nil, keys.set["user"] == nil { keys.faults.add(key: "user", "is missing") }

        self.init(keys.set, faults: &keys.faults)
        if let hosts { self.hosts = hosts.list }
        keys.readTypedValues(into: &self)
        pool = PostgresPoolConfiguration(config: config, faults: &keys.faults)
        // With a user that is missing, or a URL that nobody can read, the rest would be reported as wrong as well.
        if keys.faults.isEmpty { check(&keys.faults, hostsKey: hosts?.key ?? "url") }
        try keys.faults.throwIfAny()
    }
}

/// Reads the keys of a configuration next to what a URL has said.
private struct ConfigurationKeys {
    let config: ConfigReader
    var set: PostgresKeywordSet
    var faults: ConfigurationFaults

    /// The keys that stand for a keyword of libpq's.
    private static let keywords: [(key: String, keyword: String, isSecret: Bool)] = [
        ("user", "user", false),
        ("password", "password", true),
        ("database", "dbname", false),
        ("targetSession", "target_session_attrs", false),
        ("tls.mode", "sslmode", false),
        ("tls.rootCertificate", "sslrootcert", false),
        ("tls.clientCertificate", "sslcert", false),
        ("tls.clientKey", "sslkey", false),
        ("tls.clientKeyPassword", "sslpassword", true),
        ("tls.minimumVersion", "ssl_min_protocol_version", false),
        ("gssEncryption", "gssencmode", false),
        ("applicationName", "application_name", false),
    ]

    mutating func readKeywords() {
        for (key, keyword, isSecret) in Self.keywords {
            guard let value = faults.string(forKey: key, from: config, isSecret: isSecret) else { continue }
            if value.isEmpty {
                faults.add(key: key, "is empty; leave it out")
            } else if isFree(keyword, for: key) {
                set.set(keyword, value, key: key)
            }
        }
    }

    /// Whether the URL leaves a keyword to its key; if not, that is a fault.
    private mutating func isFree(_ keyword: String, for key: String) -> Bool {
        guard set[keyword] != nil else { return true }
        faults.add(key: key, "is set, and so is url's \(keyword)")
        return false
    }

    // MARK: Hosts

    mutating func hosts(hasURL: Bool) -> (list: [PostgresHost], key: String)? {
        let single = faults.string(forKey: "host", from: config)
        let several = faults.string(forKey: "hosts", from: config)
        let port = faults.int(forKey: "port", from: config, in: 1...65_535)
        if hasURL {
            for (key, isSet) in [("host", single != nil), ("hosts", several != nil), ("port", port != nil)] {
                faults.require(!isSet, key: key, "is set, and so is url")
            }
            return nil
        }
        switch (single, several) {
        case (nil, nil):
            faults.add(key: "host", "is missing, and so are hosts and url")
            return nil
        case (.some, .some):
            faults.add(key: "host", "is set, and so is hosts")
            return nil
        case (let name?, nil):
            let isList = name.contains(",")
            faults.require(!isList, key: "host", "is a list; use hosts for several")
            faults.require(!name.isEmpty, key: "host", "is empty; leave it out")
            let host = PostgresConfiguration.host(name: name, address: "", port: port ?? PostgresHost.defaultPort)
            return ([host], "host")
        case (nil, let names?):
            let parts = names.split(separator: ",", omittingEmptySubsequences: false)
            return (parts.compactMap { host(String($0), port: port ?? PostgresHost.defaultPort) }, "hosts")
        }
    }

    /// Reads `name`, `name:port`, `[address]:port`, an IPv6 address alone, or a socket's directory.
    private mutating func host(_ text: String, port: Int) -> PostgresHost? {
        let isBlank = { (character: Character) in character == " " }
        var name = String(text.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
        var port = port
        var portText: Substring?
        if name.hasPrefix("[") {
            guard let close = name.firstIndex(of: "]") else {
                faults.add(key: "hosts", "has an IPv6 address without its closing bracket")
                return nil
            }
            let rest = name[name.index(after: close)...]
            guard rest.isEmpty || rest.hasPrefix(":") else {
                faults.add(key: "hosts", "has something other than a port after an IPv6 address")
                return nil
            }
            portText = rest.isEmpty ? nil : rest.dropFirst()
            name = String(name[name.index(after: name.startIndex)..<close])
        } else if let colon = name.lastIndex(of: ":"), colon == name.firstIndex(of: ":") {
            portText = name[name.index(after: colon)...]
            name = String(name[..<colon])
        }
        if let portText {
            guard let number = Int(portText), (1...65_535).contains(number) else {
                faults.add(key: "hosts", "has a port that is not from 1 to 65535")
                return nil
            }
            port = number
        }
        guard !name.isEmpty else {
            faults.add(key: "hosts", "has an empty entry")
            return nil
        }
        return PostgresConfiguration.host(name: name, address: "", port: port)
    }

    // MARK: Typed values

    mutating func readTypedValues(into configuration: inout PostgresConfiguration) {
        let seconds = Duration.seconds(1) ... .seconds(32_767)
        let milliseconds = Duration.milliseconds(1)...PostgresConfiguration.timeoutLimit
        if let order = faults.choice(forKey: "hostOrder", from: config, as: PostgresConfiguration.HostOrder.self),
            isFree("load_balance_hosts", for: "hostOrder")
        {
            configuration.hostOrder = order
        }
        duration("connectTimeout", "connect_timeout", .milliseconds(1)...PostgresConfiguration.connectTimeoutLimit) {
            configuration.connectTimeout = $0
        }
        duration("keepAlive.idle", "keepalives_idle", seconds) { configuration.keepAlive.idle = $0 }
        duration("keepAlive.interval", "keepalives_interval", seconds) { configuration.keepAlive.interval = $0 }
        duration("tcpUserTimeout", "tcp_user_timeout", milliseconds) { configuration.tcpUserTimeout = $0 }
        duration("statementTimeout", nil, milliseconds) { configuration.statementTimeout = $0 }
        duration("cancellationGrace", nil, .zero ... .seconds(600)) { configuration.cancellationGrace = $0 }
        duration("shutdownTimeout", nil, .zero ... .seconds(3600)) { configuration.shutdownTimeout = $0 }
        if let isEnabled = faults.bool(forKey: "keepAlive.enabled", from: config),
            isFree("keepalives", for: "keepAlive.enabled")
        {
            configuration.keepAlive.isEnabled = isEnabled
        }
        if let count = faults.int(forKey: "keepAlive.count", from: config, in: 1...127),
            isFree("keepalives_count", for: "keepAlive.count")
        {
            configuration.keepAlive.count = count
        }
        if let size = faults.int(forKey: "statementCacheSize", from: config, in: 0...100_000) {
            configuration.statementCacheSize = size
        }
        if let mode = faults.choice(
            forKey: "statementMode", from: config, as: PostgresConfiguration.StatementMode.self)
        {
            configuration.statementMode = mode
        }
        if let text = faults.string(forKey: "sessionParameters", from: config) {
            configuration.sessionParameters = sessionParameters(text)
        }
    }

    private mutating func duration(
        _ key: String, _ keyword: String?, _ range: ClosedRange<Duration>, _ assign: (Duration) -> Void
    ) {
        guard let value = faults.duration(forKey: key, from: config, in: range) else { return }
        if let keyword, !isFree(keyword, for: key) { return }
        assign(value)
    }

    private mutating func sessionParameters(_ text: String) -> [String: String] {
        var parameters: [String: String] = [:]
        for part in text.split(separator: ";") {
            let entry = part.drop { $0 == " " }
            guard !entry.isEmpty else { continue }
            guard let equals = entry.firstIndex(of: "="), equals != entry.startIndex else {
                faults.add(key: "sessionParameters", "has an entry that is not of the form name=value")
                continue
            }
            let name = String(entry[..<equals])
            if parameters[name] != nil {
                faults.add(key: "sessionParameters", "sets a parameter twice")
            }
            parameters[name] = String(entry[entry.index(after: equals)...])
        }
        return parameters
    }
}
