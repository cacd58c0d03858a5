internal import BSON
internal import CMongoC
internal import PersistenceCore

extension MongoConfiguration {
    /// The configuration as the driver takes it.
    ///
    /// The text that the driver parses holds hosts and the options of ``otherOptions``, which were parsed before; all
    /// else, user and password above all, is set apart, so that nothing has to be encoded into a text.
    ///
    /// - Throws: ``PersistenceError`` with the code `configuration` when the driver refuses it.
    func driverURI() throws(PersistenceError) -> MongoURI {
        var text =
            seedListHost.map { "mongodb+srv://\($0)/" } ?? "mongodb://\(hosts.map(\.inURI).joined(separator: ","))/"
        let others = otherOptions.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        if !others.isEmpty { text += "?\(others.joined(separator: "&"))" }
        var faults = ConfigurationFaults()
        guard let uri = MongoURI(parsing: text, key: seedListHost == nil ? "hosts" : "seedListHost", faults: &faults)
        else {
            try faults.throwIfAny()
            throw PersistenceError(.configuration)
        }
        try faults.throwIfAny()

        let pointer = uri.pointer
        if let user { mongoc_uri_set_username(pointer, user) }
        if let password { mongoc_uri_set_password(pointer, password.reveal()) }
        mongoc_uri_set_database(pointer, database)
        if let authenticationMechanism { mongoc_uri_set_auth_mechanism(pointer, authenticationMechanism.rawValue) }
        if user != nil || authenticationMechanism == .x509 {
            let source = authenticationSource ?? (authenticationMechanism.map(Self.sourceOf) ?? "admin")
            mongoc_uri_set_auth_source(pointer, source)
        }
        if let applicationName { mongoc_uri_set_appname(pointer, applicationName) }
        if !compressors.isEmpty {
            mongoc_uri_set_compressors(pointer, compressors.map(\.rawValue).joined(separator: ","))
            // The driver leaves out what it was built without, and says so to its log alone.
            let known = mongoc_uri_get_compressors(pointer).map { Document(copying: $0) } ?? Document()
            for compressor in compressors where !known.contains(key: compressor.rawValue) {
                faults.add(key: "compressors", "has \(compressor.rawValue), which this build of libmongoc lacks")
            }
            try faults.throwIfAny()
        }
        uri.set(MONGOC_URI_REPLICASET, replicaSet)
        uri.set(MONGOC_URI_DIRECTCONNECTION, isDirectConnection)
        uri.set(MONGOC_URI_RETRYREADS, retriesReads)
        uri.set(MONGOC_URI_RETRYWRITES, retriesWrites)
        uri.set(MONGOC_URI_CONNECTTIMEOUTMS, connectTimeout.driverMilliseconds)
        uri.set(MONGOC_URI_SERVERSELECTIONTIMEOUTMS, serverSelectionTimeout.driverMilliseconds)
        uri.set(MONGOC_URI_SOCKETTIMEOUTMS, socketTimeout?.driverMilliseconds ?? 0)
        uri.set(MONGOC_URI_HEARTBEATFREQUENCYMS, heartbeatInterval.driverMilliseconds)
        uri.set(MONGOC_URI_MAXPOOLSIZE, Int32(clamping: pool.maximum))
        setTLS(uri)
        setConcerns(uri)
        return uri
    }

    private static func sourceOf(_ mechanism: AuthenticationMechanism) -> String {
        switch mechanism {
        case .x509, .plain: "$external"
        default: "admin"
        }
    }

    private func setTLS(_ uri: borrowing MongoURI) {
        uri.set(MONGOC_URI_TLS, tls.isEnabled)
        guard tls.isEnabled else { return }
        uri.set(MONGOC_URI_TLSCAFILE, tls.authorityFile)
        uri.set(MONGOC_URI_TLSCERTIFICATEKEYFILE, tls.clientCertificateKeyFile)
        uri.set(MONGOC_URI_TLSCERTIFICATEKEYFILEPASSWORD, tls.clientKeyPassword?.reveal())
        if tls.allowsInvalidCertificates { uri.set(MONGOC_URI_TLSALLOWINVALIDCERTIFICATES, true) }
        if tls.allowsInvalidHostnames { uri.set(MONGOC_URI_TLSALLOWINVALIDHOSTNAMES, true) }
    }

    private func setConcerns(_ uri: borrowing MongoURI) {
        if let readConcern {
            let concern = mongoc_read_concern_new()
            mongoc_read_concern_set_level(concern, readConcern.rawValue)
            mongoc_uri_set_read_concern(uri.pointer, concern)
            mongoc_read_concern_destroy(concern)
        }
        if let concern = writeConcern.makeDriverConcern() {
            mongoc_uri_set_write_concern(uri.pointer, concern)
            mongoc_write_concern_destroy(concern)
        }
        let preference = readPreference.makeDriverPreference()
        mongoc_uri_set_read_prefs_t(uri.pointer, preference)
        mongoc_read_prefs_destroy(preference)
    }
}

extension MongoHost {
    /// The host as a connection string has it.
    fileprivate var inURI: String {
        guard isUnixSocket else { return description }
        var text = ""
        for byte in name.utf8 {
            let isPlain =
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
            let digits = String(byte, radix: 16, uppercase: true)
            text += isPlain ? String(UnicodeScalar(byte)) : "%\(digits.count == 1 ? "0" : "")\(digits)"
        }
        return text
    }
}

extension MongoWriteConcern {
    /// A `mongoc_write_concern_t`, which the caller destroys; nil when all is left to the server.
    func makeDriverConcern() -> OpaquePointer? {
        guard self != MongoWriteConcern() else { return nil }
        let concern = mongoc_write_concern_new()
        switch acknowledgement {
        case .members(let count): mongoc_write_concern_set_w(concern, Int32(clamping: count))
        case .majority: mongoc_write_concern_set_w(concern, MONGOC_WRITE_CONCERN_W_MAJORITY)
        case .tag(let name): mongoc_write_concern_set_wtag(concern, name)
        case nil: break
        }
        if let isJournaled { mongoc_write_concern_set_journal(concern, isJournaled) }
        if let timeout { mongoc_write_concern_set_wtimeout_int64(concern, Int64(timeout.driverMilliseconds)) }
        return concern
    }
}

extension MongoReadPreference {
    /// A `mongoc_read_prefs_t`, which the caller destroys.
    func makeDriverPreference() -> OpaquePointer? {
        let kind: mongoc_read_mode_t =
            switch mode {
            case .primary: MONGOC_READ_PRIMARY
            case .primaryPreferred: MONGOC_READ_PRIMARY_PREFERRED
            case .secondary: MONGOC_READ_SECONDARY
            case .secondaryPreferred: MONGOC_READ_SECONDARY_PREFERRED
            case .nearest: MONGOC_READ_NEAREST
            }
        let preference = mongoc_read_prefs_new(kind)
        for tags in tagSets {
            var document = Document()
            for (name, value) in tags.sorted(by: { $0.key < $1.key }) { document[name] = .string(value) }
            document.withBSON { mongoc_read_prefs_add_tag(preference, $0) }
        }
        if let maximumStaleness {
            mongoc_read_prefs_set_max_staleness_seconds(preference, maximumStaleness.components.seconds)
        }
        return preference
    }
}

extension Duration {
    /// Whole milliseconds, rounded up so that a short wait does not become none, and within the driver's range.
    var driverMilliseconds: Int32 { Int32(clamping: wholeMilliseconds) }

    /// Whole milliseconds, rounded up.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        let fraction = (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
        return overflow ? .max : product &+ fraction
    }
}
