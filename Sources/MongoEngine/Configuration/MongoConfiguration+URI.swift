internal import CMongoC
public import PersistenceCore

extension MongoConfiguration {
    /// Reads a connection string: `mongodb://user:password@host:27017/database?replicaSet=rs0`.
    ///
    /// All of the driver's options are understood; those without a property of their own are kept as they are. Without a
    /// database, `test` is used, as MongoDB's own tools do. Source: the MongoDB connection string specification.
    ///
    /// - Parameter uri: The connection string, with user and password percent-encoded.
    /// - Throws: ``PersistenceError`` with the code `configuration`, naming everything that is wrong, and no value.
    public init(uri: String) throws(PersistenceError) {
        var faults = ConfigurationFaults()
        let parsed = MongoConfiguration(uri: uri, key: "url", faults: &faults)
        if faults.isEmpty { parsed?.check(&faults, hostsKey: "url") }
        try faults.throwIfAny()
        guard let parsed else { throw PersistenceError(.internal, "a connection string had no fault and no value") }
        self = parsed
    }

    init?(uri text: String, key: String, faults: inout ConfigurationFaults) {
        guard let uri = MongoURI(parsing: text, key: key, faults: &faults) else { return nil }
        let options = RawOptions(text)
        for name in options.unknown { faults.add(key: key, "has the unknown option \(name)") }

        let database = mongoc_uri_get_database(uri.pointer).map { String(cString: $0) }
        self.init(
            hosts: uri.hosts, user: mongoc_uri_get_username(uri.pointer).map { String(cString: $0) },
            password: mongoc_uri_get_password(uri.pointer).map { Secret(String(cString: $0)) },
            database: database ?? Self.defaultDatabase)
        seedListHost = mongoc_uri_get_srv_hostname(uri.pointer).map { String(cString: $0) }
        if seedListHost != nil { hosts = [] }
        replicaSet = uri.text(MONGOC_URI_REPLICASET)
        isDirectConnection = uri.flag(MONGOC_URI_DIRECTCONNECTION)
        if options.has(MONGOC_URI_AUTHSOURCE) {
            authenticationSource = mongoc_uri_get_auth_source(uri.pointer).map { String(cString: $0) }
        } else if user != nil, let database {
            // "If authSource is unspecified, authSource defaults to the defaultauthdb": the path's database.
            authenticationSource = database
        }
        if let name = mongoc_uri_get_auth_mechanism(uri.pointer).map({ String(cString: $0) }) {
            if let mechanism = AuthenticationMechanism(rawValue: name.uppercased()) {
                authenticationMechanism = mechanism
            } else {
                faults.add(key: key, "has an authMechanism that is not supported")
            }
        }
        readTLS(uri)
        readConcerns(uri, options, key, &faults)
        readOthers(uri, options, key, &faults)
    }

    static var defaultDatabase: String { "test" }

    private mutating func readTLS(_ uri: borrowing MongoURI) {
        guard mongoc_uri_get_tls(uri.pointer) else { return }
        tls = MongoTLS(
            authorityFile: uri.text(MONGOC_URI_TLSCAFILE),
            clientCertificateKeyFile: uri.text(MONGOC_URI_TLSCERTIFICATEKEYFILE),
            clientKeyPassword: uri.text(MONGOC_URI_TLSCERTIFICATEKEYFILEPASSWORD).map { Secret($0) },
            allowsInvalidCertificates: uri.flag(MONGOC_URI_TLSALLOWINVALIDCERTIFICATES) ?? false,
            allowsInvalidHostnames: uri.flag(MONGOC_URI_TLSALLOWINVALIDHOSTNAMES) ?? false)
        if uri.flag(MONGOC_URI_TLSINSECURE) == true {
            tls.allowsInvalidCertificates = true
            tls.allowsInvalidHostnames = true
        }
    }

    private mutating func readConcerns(
        _ uri: borrowing MongoURI, _ options: RawOptions, _ key: String, _ faults: inout ConfigurationFaults
    ) {
        // The driver keeps the level apart from the options.
        if let level = mongoc_read_concern_get_level(mongoc_uri_get_read_concern(uri.pointer)) {
            readConcern = MongoReadConcern(rawValue: String(cString: level))
            faults.require(readConcern != nil, key: key, "has a readConcernLevel that MongoDB does not have")
        }
        if let w = options.values(MONGOC_URI_W).last {
            writeConcern.acknowledgement =
                if w == "majority" {
                    .majority
                } else if let count = Int(w) {
                    .members(count)
                } else {
                    .tag(w)
                }
        }
        writeConcern.isJournaled = uri.flag(MONGOC_URI_JOURNAL)
        writeConcern.timeout = uri.number(MONGOC_URI_WTIMEOUTMS).flatMap { $0 == 0 ? nil : .milliseconds($0) }
        if let name = options.values(MONGOC_URI_READPREFERENCE).last {
            let mode = MongoReadPreference.Mode.allCases.first { $0.rawValue.lowercased() == name.lowercased() }
            faults.require(mode != nil, key: key, "has a readPreference that MongoDB does not have")
            readPreference.mode = mode ?? .primary
        }
        for list in options.values(MONGOC_URI_READPREFERENCETAGS) {
            var tags: [String: String] = [:]
            for pair in list.split(separator: ",") {
                let parts = pair.split(separator: ":", maxSplits: 1).map(String.init)
                guard parts.count == 2 else {
                    faults.add(key: key, "has readPreferenceTags that are not of the form name:value")
                    continue
                }
                tags[parts[0]] = parts[1]
            }
            readPreference.tagSets.append(tags)
        }
        readPreference.maximumStaleness = uri.number(MONGOC_URI_MAXSTALENESSSECONDS).flatMap { number in
            number > 0 ? .seconds(Int(number)) : nil
        }
    }

    private mutating func readOthers(
        _ uri: borrowing MongoURI, _ options: RawOptions, _ key: String, _ faults: inout ConfigurationFaults
    ) {
        func milliseconds(_ option: String) -> Duration? { uri.number(option).map { .milliseconds(Int($0)) } }
        if let names = options.values(MONGOC_URI_COMPRESSORS).last {
            for name in names.split(separator: ",") {
                if let compressor = Compressor(rawValue: String(name)) {
                    compressors.append(compressor)
                } else {
                    faults.add(key: key, "has a compressor that is not supported")
                }
            }
        }
        retriesReads = uri.flag(MONGOC_URI_RETRYREADS) ?? true
        retriesWrites = uri.flag(MONGOC_URI_RETRYWRITES) ?? true
        connectTimeout = milliseconds(MONGOC_URI_CONNECTTIMEOUTMS) ?? connectTimeout
        serverSelectionTimeout = milliseconds(MONGOC_URI_SERVERSELECTIONTIMEOUTMS) ?? serverSelectionTimeout
        if let time = milliseconds(MONGOC_URI_SOCKETTIMEOUTMS) { socketTimeout = time == .zero ? nil : time }
        heartbeatInterval = milliseconds(MONGOC_URI_HEARTBEATFREQUENCYMS) ?? heartbeatInterval
        applicationName = mongoc_uri_get_appname(uri.pointer).map { String(cString: $0) }
        if let size = uri.number(MONGOC_URI_MAXPOOLSIZE) { pool.maximum = Int(size) }
        if let time = milliseconds(MONGOC_URI_WAITQUEUETIMEOUTMS) { pool.acquireTimeout = time }
        otherOptions = options.others
    }
}

/// The options of a connection string as they are written.
private struct RawOptions {
    private var pairs: [(name: String, raw: Substring)] = []

    init(_ text: String) {
        guard let start = text.firstIndex(of: "?") else { return }
        for pair in text[text.index(after: start)...].split(separator: "&") {
            guard let equals = pair.firstIndex(of: "=") else { continue }
            pairs.append((pair[..<equals].lowercased(), pair[pair.index(after: equals)...]))
        }
    }

    func has(_ option: String) -> Bool { pairs.contains { $0.name == option } }

    func values(_ option: String) -> [String] {
        pairs.filter { $0.name == option }.compactMap { String($0.raw).percentDecoded }
    }

    /// The names that the driver does not have; a name is no secret.
    var unknown: [String] { pairs.map(\.name).filter { !Self.withProperty.contains($0) && !Self.others.contains($0) } }

    /// Those that are kept as they are written.
    var others: [String: String] {
        Dictionary(
            pairs.filter { Self.others.contains($0.name) }.map { ($0.name, String($0.raw)) },
            uniquingKeysWith: { $1 })
    }

    private static let withProperty: Set<String> = [
        MONGOC_URI_APPNAME, MONGOC_URI_AUTHMECHANISM, MONGOC_URI_AUTHSOURCE, MONGOC_URI_CONNECTTIMEOUTMS,
        MONGOC_URI_COMPRESSORS, MONGOC_URI_DIRECTCONNECTION, MONGOC_URI_HEARTBEATFREQUENCYMS, MONGOC_URI_JOURNAL,
        MONGOC_URI_MAXPOOLSIZE, MONGOC_URI_MAXSTALENESSSECONDS, MONGOC_URI_READCONCERNLEVEL,
        MONGOC_URI_READPREFERENCE, MONGOC_URI_READPREFERENCETAGS, MONGOC_URI_REPLICASET, MONGOC_URI_RETRYREADS,
        MONGOC_URI_RETRYWRITES, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, MONGOC_URI_SOCKETTIMEOUTMS, MONGOC_URI_TLS,
        MONGOC_URI_TLSCERTIFICATEKEYFILE, MONGOC_URI_TLSCERTIFICATEKEYFILEPASSWORD, MONGOC_URI_TLSCAFILE,
        MONGOC_URI_TLSALLOWINVALIDCERTIFICATES, MONGOC_URI_TLSALLOWINVALIDHOSTNAMES, MONGOC_URI_TLSINSECURE,
        MONGOC_URI_W, MONGOC_URI_WAITQUEUETIMEOUTMS, MONGOC_URI_WTIMEOUTMS, MONGOC_URI_SSL,
        MONGOC_URI_SSLCLIENTCERTIFICATEKEYFILE, MONGOC_URI_SSLCLIENTCERTIFICATEKEYPASSWORD,
        MONGOC_URI_SSLCERTIFICATEAUTHORITYFILE, MONGOC_URI_SSLALLOWINVALIDCERTIFICATES,
        MONGOC_URI_SSLALLOWINVALIDHOSTNAMES,
    ]

    private static let others: Set<String> = [
        MONGOC_URI_AUTHMECHANISMPROPERTIES, MONGOC_URI_CANONICALIZEHOSTNAME, MONGOC_URI_GSSAPISERVICENAME,
        MONGOC_URI_LOADBALANCED, MONGOC_URI_LOCALTHRESHOLDMS, MONGOC_URI_SOCKETCHECKINTERVALMS,
        MONGOC_URI_SRVSERVICENAME, MONGOC_URI_SRVMAXHOSTS, MONGOC_URI_TLSDISABLECERTIFICATEREVOCATIONCHECK,
        MONGOC_URI_TLSDISABLEOCSPENDPOINTCHECK, MONGOC_URI_ZLIBCOMPRESSIONLEVEL,
    ]
}
