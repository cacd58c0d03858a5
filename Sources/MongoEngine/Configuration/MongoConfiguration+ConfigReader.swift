public import Configuration
public import PersistenceCore

extension MongoConfiguration {
    /// Reads a configuration.
    ///
    /// The keys are relative to the reader: pass `config.scoped(to: "mongo")` for `mongo.url`, which an environment
    /// provider reads from `MONGO_URL`.
    ///
    /// ## Configuration keys
    ///
    /// Either `url`, or `host` (or `hosts`) and the others; what a URL says already must not be said again by a key.
    ///
    /// - `url` (secret): A connection string, see ``init(uri:)``.
    /// - `host`: A host's name or address, or the path of a Unix socket.
    /// - `hosts`: Several of them, separated by commas, each with or without a port: `first:27017,[::1]:27018`.
    /// - `port`: The port of hosts that name none. 27017 by default.
    /// - `seedListHost`: The name whose DNS records list the servers, instead of `host`.
    /// - `replicaSet`, `directConnection`: See the properties.
    /// - `user`: The user, where the server asks for one.
    /// - `password` (secret): The user's password. May accompany a `url` without one.
    /// - `authSource`: The database that knows the user. `admin` by default.
    /// - `authMechanism`: `SCRAM-SHA-256`, `SCRAM-SHA-1`, `MONGODB-X509` or `PLAIN`.
    /// - `database`: The database. `test` by default.
    /// - `tls.enabled`: `true` or `false` (default).
    /// - `tls.authorityFile`: The file with the trusted authorities.
    /// - `tls.clientCertificateKeyFile`: The file with the client's certificate and key.
    /// - `tls.clientKeyPassword` (secret): The password of an encrypted key.
    /// - `tls.allowInvalidCertificates`, `tls.allowInvalidHostnames`: For development alone.
    /// - `readConcern`: `local`, `available`, `majority`, `linearizable` or `snapshot`.
    /// - `writeConcern.w`: A number, `majority`, or the name of a tag set.
    /// - `writeConcern.journal`, `writeConcern.timeout`: See ``MongoWriteConcern``.
    /// - `readPreference.mode`: `primary` (default), `primaryPreferred`, `secondary`, `secondaryPreferred`, `nearest`.
    /// - `readPreference.maximumStaleness`: At least `90s`.
    /// - `compressors`: `snappy`, `zlib` and `zstd`, separated by commas.
    /// - `retryReads`, `retryWrites`: `true` (default) or `false`.
    /// - `connectTimeout`, `serverSelectionTimeout`, `socketTimeout`, `heartbeatInterval`, `operationTimeout`,
    ///   `cancellationGrace`, `shutdownTimeout`: Durations, see the properties.
    /// - `applicationName`: See ``applicationName``.
    /// - `pool.maximum`, `pool.acquireTimeout`, `pool.maximumWaiters`: See ``MongoPoolConfiguration``.
    ///
    /// - Parameter config: The reader.
    /// - Throws: ``PersistenceError`` with the code `configuration`, naming everything that is wrong, and no value.
    public init(config: ConfigReader) throws(PersistenceError) {
        var faults = ConfigurationFaults()
        let url = faults.string(forKey: "url", from: config, isSecret: true)
        let parsed = url.flatMap { MongoConfiguration(uri: $0, key: "url", faults: &faults) }
        var keys = MongoConfigurationKeys(config: config, isURLGiven: url != nil, faults: faults)
        self = parsed ?? MongoConfiguration(hosts: [], database: Self.defaultDatabase)
        keys.readHosts(into: &self)
        keys.readIdentity(into: &self, urlHasDatabase: url.map(Self.hasDatabase) ?? false)
        keys.readTLS(into: &self)
        keys.readConcerns(into: &self)
        keys.readOthers(into: &self)
        if url == nil {
            pool = MongoPoolConfiguration(config: config, faults: &keys.faults)
        } else {
            keys.readPool(into: &self)
        }
        if keys.faults.isEmpty { check(&keys.faults, hostsKey: url == nil ? keys.hostsKey : "url") }
        try keys.faults.throwIfAny()
    }

    private static func hasDatabase(_ url: String) -> Bool {
        guard let scheme = url.firstRange(of: "://") else { return false }
        let rest = url[scheme.upperBound...]
        guard let slash = rest.firstIndex(of: "/") else { return false }
        let path = rest[rest.index(after: slash)...].prefix { $0 != "?" }
        return !path.isEmpty
    }
}

/// Reads the keys of a configuration next to what a URL has said.
private struct MongoConfigurationKeys {
    let config: ConfigReader
    let isURLGiven: Bool
    var faults: ConfigurationFaults
    var hostsKey = "host"

    /// Notes a fault when a key repeats what the URL says.
    private mutating func isFree(_ key: String, _ isTaken: Bool) -> Bool {
        guard isURLGiven, isTaken else { return true }
        faults.add(key: key, "is set, and so is url's")
        return false
    }

    private mutating func text(_ key: String, isSecret: Bool = false) -> String? {
        guard let text = faults.string(forKey: key, from: config, isSecret: isSecret) else { return nil }
        guard !text.isEmpty else {
            faults.add(key: key, "is empty; leave it out")
            return nil
        }
        return text
    }

    mutating func readHosts(into configuration: inout MongoConfiguration) {
        let single = text("host")
        let several = text("hosts")
        let seed = text("seedListHost")
        let port = faults.int(forKey: "port", from: config, in: 1...65_535)
        let given = [("host", single), ("hosts", several), ("seedListHost", seed)].filter { $0.1 != nil }
        if isURLGiven {
            for (key, _) in given { faults.add(key: key, "is set, and so is url") }
            if port != nil { faults.add(key: "port", "is set, and so is url") }
            return
        }
        guard let first = given.first else {
            return faults.add(key: "host", "is missing, and so are hosts, seedListHost and url")
        }
        for (key, _) in given.dropFirst() { faults.add(key: key, "is set, and so is \(first.0)") }
        hostsKey = first.0
        let fallback = port ?? MongoHost.defaultPort
        if let single {
            faults.require(!single.contains(","), key: "host", "is a list; use hosts for several")
            configuration.hosts = [MongoHost(single, port: fallback)]
        } else if let several {
            let parts = several.split(separator: ",", omittingEmptySubsequences: false)
            configuration.hosts = parts.compactMap { host($0, port: fallback) }
        } else {
            configuration.seedListHost = seed
        }
    }

    /// Reads `name`, `name:port`, `[address]:port`, an IPv6 address alone, or a socket's path.
    private mutating func host(_ part: Substring, port: Int) -> MongoHost? {
        let text = part.drop { $0 == " " }.prefix { $0 != " " }
        var name = text
        var portText: Substring?
        if text.hasPrefix("["), let close = text.firstIndex(of: "]") {
            name = text[text.index(after: text.startIndex)..<close]
            let rest = text[text.index(after: close)...]
            guard rest.isEmpty || rest.hasPrefix(":") else {
                faults.add(key: "hosts", "has something other than a port after an IPv6 address")
                return nil
            }
            portText = rest.isEmpty ? nil : rest.dropFirst()
        } else if let colon = text.lastIndex(of: ":"), colon == text.firstIndex(of: ":") {
            name = text[..<colon]
            portText = text[text.index(after: colon)...]
        }
        guard !name.isEmpty else {
            faults.add(key: "hosts", "has an empty entry")
            return nil
        }
        guard let portText else { return MongoHost(String(name), port: port) }
        guard let number = Int(portText), (1...65_535).contains(number) else {
            faults.add(key: "hosts", "has a port that is not from 1 to 65535")
            return nil
        }
        return MongoHost(String(name), port: number)
    }

    mutating func readIdentity(into configuration: inout MongoConfiguration, urlHasDatabase: Bool) {
        if let name = text("replicaSet"), isFree("replicaSet", configuration.replicaSet != nil) {
            configuration.replicaSet = name
        }
        if let value = faults.bool(forKey: "directConnection", from: config),
            isFree("directConnection", configuration.isDirectConnection != nil)
        {
            configuration.isDirectConnection = value
        }
        if let name = text("user"), isFree("user", configuration.user != nil) { configuration.user = name }
        if let password = text("password", isSecret: true), isFree("password", configuration.password != nil) {
            configuration.password = Secret(password)
        }
        if let name = text("authSource"), isFree("authSource", configuration.authenticationSource != nil) {
            configuration.authenticationSource = name
        }
        let mechanism = faults.choice(
            forKey: "authMechanism", from: config, as: MongoConfiguration.AuthenticationMechanism.self)
        if let mechanism, isFree("authMechanism", configuration.authenticationMechanism != nil) {
            configuration.authenticationMechanism = mechanism
        }
        if let name = text("database"), isFree("database", urlHasDatabase) { configuration.database = name }
        if let name = text("applicationName"), isFree("applicationName", configuration.applicationName != nil) {
            configuration.applicationName = name
        }
    }

    mutating func readTLS(into configuration: inout MongoConfiguration) {
        let before = configuration.tls
        if let value = faults.bool(forKey: "tls.enabled", from: config), isFree("tls.enabled", before.isEnabled) {
            configuration.tls.isEnabled = value
        }
        if let path = text("tls.authorityFile"), isFree("tls.authorityFile", before.authorityFile != nil) {
            configuration.tls.authorityFile = path
        }
        if let path = text("tls.clientCertificateKeyFile"),
            isFree("tls.clientCertificateKeyFile", before.clientCertificateKeyFile != nil)
        {
            configuration.tls.clientCertificateKeyFile = path
        }
        if let password = text("tls.clientKeyPassword", isSecret: true),
            isFree("tls.clientKeyPassword", before.clientKeyPassword != nil)
        {
            configuration.tls.clientKeyPassword = Secret(password)
        }
        if let value = faults.bool(forKey: "tls.allowInvalidCertificates", from: config) {
            configuration.tls.allowsInvalidCertificates = value
        }
        if let value = faults.bool(forKey: "tls.allowInvalidHostnames", from: config) {
            configuration.tls.allowsInvalidHostnames = value
        }
    }

    mutating func readConcerns(into configuration: inout MongoConfiguration) {
        let concern = faults.choice(forKey: "readConcern", from: config, as: MongoReadConcern.self)
        if let concern, isFree("readConcern", configuration.readConcern != nil) { configuration.readConcern = concern }
        let before = configuration.writeConcern
        if let w = text("writeConcern.w"), isFree("writeConcern.w", before.acknowledgement != nil) {
            configuration.writeConcern.acknowledgement =
                if w == "majority" { .majority } else if let count = Int(w) { .members(count) } else { .tag(w) }
        }
        if let value = faults.bool(forKey: "writeConcern.journal", from: config),
            isFree("writeConcern.journal", before.isJournaled != nil)
        {
            configuration.writeConcern.isJournaled = value
        }
        if let value = faults.duration(forKey: "writeConcern.timeout", from: config),
            isFree("writeConcern.timeout", before.timeout != nil)
        {
            configuration.writeConcern.timeout = value
        }
        let preference = configuration.readPreference
        let mode = faults.choice(forKey: "readPreference.mode", from: config, as: MongoReadPreference.Mode.self)
        if let mode, isFree("readPreference.mode", preference != .primary) { configuration.readPreference.mode = mode }
        if let value = faults.duration(forKey: "readPreference.maximumStaleness", from: config),
            isFree("readPreference.maximumStaleness", preference.maximumStaleness != nil)
        {
            configuration.readPreference.maximumStaleness = value
        }
    }

    mutating func readOthers(into configuration: inout MongoConfiguration) {
        if let list = text("compressors"), isFree("compressors", !configuration.compressors.isEmpty) {
            for part in list.split(separator: ",", omittingEmptySubsequences: false) {
                let name = part.drop { $0 == " " }.prefix { $0 != " " }
                if let compressor = MongoConfiguration.Compressor(rawValue: String(name)) {
                    configuration.compressors.append(compressor)
                } else {
                    faults.add(key: "compressors", "has one that is not snappy, zlib or zstd")
                }
            }
        }
        // These have defaults, so that a key cannot be told from what a URL says: the key decides.
        if let value = faults.bool(forKey: "retryReads", from: config) { configuration.retriesReads = value }
        if let value = faults.bool(forKey: "retryWrites", from: config) { configuration.retriesWrites = value }
        duration("connectTimeout") { configuration.connectTimeout = $0 }
        duration("serverSelectionTimeout") { configuration.serverSelectionTimeout = $0 }
        duration("socketTimeout") { configuration.socketTimeout = $0 }
        duration("heartbeatInterval") { configuration.heartbeatInterval = $0 }
        duration("operationTimeout") { configuration.operationTimeout = $0 }
        duration("cancellationGrace") { configuration.cancellationGrace = $0 }
        duration("shutdownTimeout") { configuration.shutdownTimeout = $0 }
    }

    mutating func readPool(into configuration: inout MongoConfiguration) {
        if let value = faults.int(forKey: "pool.maximum", from: config) { configuration.pool.maximum = value }
        duration("pool.acquireTimeout") { configuration.pool.acquireTimeout = $0 }
        if let value = faults.int(forKey: "pool.maximumWaiters", from: config) {
            configuration.pool.maximumWaiters = value
        }
    }

    private mutating func duration(_ key: String, _ assign: (Duration) -> Void) {
        if let value = faults.duration(forKey: key, from: config) { assign(value) }
    }
}
