public import PersistenceCore

extension MongoConfiguration {
    /// Checks that the configuration can be used.
    ///
    /// The initialisers that read a text have checked already; a configuration that code has put together is checked when
    /// a database is made of it.
    ///
    /// - Throws: ``PersistenceError`` with the code `configuration`, naming every fault, and no value.
    public func validate() throws(PersistenceError) {
        var faults = ConfigurationFaults()
        check(&faults)
        try faults.throwIfAny()
    }

    /// The longest wait that the driver's options can express, some 24 days.
    static var timeoutLimit: Duration { .milliseconds(Int64(Int32.max)) }

    /// Notes everything that makes the configuration unusable.
    func check(_ faults: inout ConfigurationFaults, hostsKey: String = "hosts") {
        checkHosts(&faults, key: hostsKey)
        if let reason = MongoNamespace.faultInDatabase(database) { faults.add(key: "database", reason) }
        checkAuthentication(&faults)
        checkTLS(&faults)
        checkConcerns(&faults)
        checkTimes(&faults)
        if let applicationName {
            Self.checkText(applicationName, key: "applicationName", &faults)
            // MongoDB handshake specification, "application.name".
            faults.require(applicationName.utf8.count <= 128, key: "applicationName", "has more than 128 bytes")
        }
        if Set(compressors).count != compressors.count { faults.add(key: "compressors", "has one twice") }
        pool.check(&faults)
        for (name, value) in otherOptions where value.utf8.contains(0) {
            faults.add(key: name, "holds a NUL character")
        }
    }

    private func checkHosts(_ faults: inout ConfigurationFaults, key: String) {
        if let seedListHost {
            faults.require(hosts.isEmpty, key: key, "is set, and so is seedListHost")
            faults.require(Self.isHostName(seedListHost), key: "seedListHost", "is not a host's name")
            return
        }
        faults.require(!hosts.isEmpty, key: key, "is empty")
        for host in hosts {
            let isRight = host.isUnixSocket ? Self.isSocketPath(host.name) : Self.isHostName(host.name)
            faults.require(isRight, key: key, "has an entry that is not a host's name or address")
            faults.require((1...65_535).contains(host.port), key: "port", "is not from 1 to 65535")
        }
        faults.require(Set(hosts).count == hosts.count, key: key, "has a host twice")
        if isDirectConnection == true, hosts.count > 1 {
            faults.add(key: "directConnection", "is true, which allows one host alone")
        }
        if let replicaSet { Self.checkText(replicaSet, key: "replicaSet", &faults) }
    }

    private func checkAuthentication(_ faults: inout ConfigurationFaults) {
        if let user { Self.checkText(user, key: "user", &faults) }
        if let password {
            Self.checkText(password.reveal(), key: "password", &faults)
            faults.require(user != nil, key: "user", "is missing, and there is a password")
        }
        if let authenticationSource { Self.checkText(authenticationSource, key: "authSource", &faults) }
        switch authenticationMechanism {
        case .scramSHA1, .scramSHA256, .plain:
            faults.require(user != nil, key: "user", "is missing, and the authentication mechanism needs it")
            faults.require(password != nil, key: "password", "is missing, and the authentication mechanism needs it")
        case .x509:
            let hasCertificate = tls.isEnabled && tls.clientCertificateKeyFile != nil
            faults.require(
                hasCertificate, key: "tls.clientCertificateKeyFile",
                "is missing, and the authentication mechanism needs it")
            faults.require(password == nil, key: "password", "is set, and the authentication mechanism takes none")
        case nil:
            if user != nil, password == nil { faults.add(key: "password", "is missing, and there is a user") }
        }
        if authenticationMechanism == .plain, !tls.isEnabled {
            faults.add(key: "tls.enabled", "is not true, and the password would travel in clear text")
        }
    }

    private func checkTLS(_ faults: inout ConfigurationFaults) {
        let files = [
            ("tls.authorityFile", tls.authorityFile), ("tls.clientCertificateKeyFile", tls.clientCertificateKeyFile),
            ("tls.clientKeyPassword", tls.clientKeyPassword?.reveal()),
        ]
        for case (let key, let value?) in files {
            Self.checkText(value, key: key, &faults)
            // Somebody who names files expects encryption.
            faults.require(tls.isEnabled, key: "tls.enabled", "is not true, and there are settings of TLS")
        }
        if tls.clientKeyPassword != nil, tls.clientCertificateKeyFile == nil {
            faults.add(key: "tls.clientCertificateKeyFile", "is missing, and there is a password for it")
        }
    }

    private func checkConcerns(_ faults: inout ConfigurationFaults) {
        switch writeConcern.acknowledgement {
        case .members(let count):
            faults.require((1...50).contains(count), key: "writeConcern.w", "is not from 1 to 50")
        case .tag(let name): Self.checkText(name, key: "writeConcern.w", &faults)
        case .majority, nil: break
        }
        Self.check(writeConcern.timeout, .milliseconds(1)...Self.timeoutLimit, "writeConcern.timeout", &faults)
        // "maxStalenessSeconds" in the Server Selection specification.
        Self.check(
            readPreference.maximumStaleness, .seconds(90)...Self.timeoutLimit, "readPreference.maximumStaleness",
            &faults)
        if readPreference.mode == .primary {
            let isPlain = readPreference.tagSets.isEmpty && readPreference.maximumStaleness == nil
            faults.require(isPlain, key: "readPreference.mode", "is primary, which takes no tags and no staleness")
        }
        for (name, value) in readPreference.tagSets.flatMap({ $0 })
        where name.utf8.contains(0) || value.utf8.contains(0) {
            faults.add(key: "readPreference.tags", "holds a NUL character")
        }
    }

    private func checkTimes(_ faults: inout ConfigurationFaults) {
        let range = Duration.milliseconds(1)...Self.timeoutLimit
        Self.check(connectTimeout, range, "connectTimeout", &faults)
        Self.check(serverSelectionTimeout, range, "serverSelectionTimeout", &faults)
        Self.check(socketTimeout, range, "socketTimeout", &faults)
        // The shortest that the Server Discovery and Monitoring specification allows.
        Self.check(heartbeatInterval, .milliseconds(500)...Self.timeoutLimit, "heartbeatInterval", &faults)
        Self.check(operationTimeout, range, "operationTimeout", &faults)
        Self.check(cancellationGrace, .zero ... .seconds(600), "cancellationGrace", &faults)
        Self.check(shutdownTimeout, .zero ... .seconds(3600), "shutdownTimeout", &faults)
    }

    private static func check(
        _ value: Duration?, _ range: ClosedRange<Duration>, _ key: String, _ faults: inout ConfigurationFaults
    ) {
        if let value, !range.contains(value) {
            faults.add(key: key, "is not from \(range.lowerBound) to \(range.upperBound)")
        }
    }

    private static func checkText(_ text: String, key: String, _ faults: inout ConfigurationFaults) {
        faults.require(!text.isEmpty, key: key, "is empty")
        faults.require(!text.utf8.contains(0), key: key, "holds a NUL character")
    }

    /// Whether a text can be a DNS name or a numeric address; nothing in it could end the host part of a URI.
    private static func isHostName(_ name: String) -> Bool {
        // 255 bytes is the longest that the driver keeps (`mongoc_host_list_t`).
        (1...255).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"),
                    UInt8(ascii: ":"):
                    true
                default: false
                }
            }
    }

    /// Whether a text can be the path of a socket; the driver knows one by the end of its name.
    private static func isSocketPath(_ path: String) -> Bool {
        path.utf8.count <= 107 && path.hasSuffix(".sock") && !path.utf8.contains(0)
    }
}
