internal import CLibPQ
public import PersistenceCore

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension PostgresConfiguration {
    /// The longest identifier that PostgreSQL keeps; what is longer it cuts off in silence.
    static var nameLimit: Int { 63 }

    /// The longest wait that PostgreSQL's own timeouts can express, some 24 days.
    static var timeoutLimit: Duration { .milliseconds(Int64(Int32.max)) }

    /// The longest wait for one host.
    static var connectTimeoutLimit: Duration { .seconds(3600) }

    /// The server refuses a startup packet of more than 10,000 bytes; this leaves room for the names.
    static var optionsLimit: Int { 8000 }

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

    /// Notes everything that makes the configuration unusable.
    ///
    /// - Parameters:
    ///   - faults: Takes what is wrong, under the names of the properties.
    ///   - hostsKey: The name under which a fault in ``hosts`` is reported.
    func check(_ faults: inout ConfigurationFaults, hostsKey: String = "hosts") {
        checkHosts(&faults, key: hostsKey)
        Self.checkName(user, key: "user", &faults)
        Self.checkName(database, key: "database", &faults)
        if let password { Self.checkText(password.reveal(), key: "password", &faults) }
        if let applicationName { Self.checkName(applicationName, key: "applicationName", &faults) }
        checkTLS(&faults)
        checkNetwork(&faults)
        checkSession(&faults)
        pool.check(&faults)
        for (keyword, value) in otherKeywords where value.utf8.contains(0) {
            faults.add(key: keyword, "holds a NUL character")
        }
    }

    private func checkHosts(_ faults: inout ConfigurationFaults, key: String) {
        faults.require(!hosts.isEmpty, key: key, "is empty")
        for host in hosts {
            faults.require((1...65_535).contains(host.port), key: "port", "is not from 1 to 65535")
            if let directory = host.socketDirectory {
                Self.checkSocketDirectory(directory, port: host.port, key: key, &faults)
            }
            if let name = host.name {
                Self.checkHostName(name, key: key, &faults)
            } else if !host.isUnixSocket, tls.mode == .verifyFull {
                faults.add(key: "tls.mode", "is verify-full, but a host has no name to compare the certificate with")
            }
            if let address = host.address {
                faults.require(Self.isNumericAddress(address), key: key, "has an address that is not numeric")
            }
        }
    }

    private static func checkHostName(_ name: String, key: String, _ faults: inout ConfigurationFaults) {
        faults.require(!name.isEmpty, key: key, "has an empty name")
        // A comma separates hosts for libpq, and a slash makes a socket directory.
        let isPlain = name.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != 0x2C && $0 != 0x2F && $0 != 0x40 }
        faults.require(isPlain, key: key, "has a name with a character that no host name has")
        faults.require(name.utf8.count <= 253, key: key, "has a name of more than 253 bytes")
    }

    private static func checkSocketDirectory(
        _ directory: String, port: Int, key: String, _ faults: inout ConfigurationFaults
    ) {
        let isAbsolute = directory.hasPrefix("/") || (directory.hasPrefix("@") && directory.utf8.count > 1)
        faults.require(isAbsolute, key: key, "has a socket directory that is not an absolute path")
        let isPlain = !directory.utf8.contains(0) && !directory.utf8.contains(0x2C)
        faults.require(isPlain, key: key, "has a socket directory with a comma or a NUL character")
        // sockaddr_un.sun_path, with its terminator.
        let limit = MemoryLayout.size(ofValue: sockaddr_un().sun_path)
        let length = directory.utf8.count + "/.s.PGSQL.\(port)".utf8.count
        faults.require(length < limit, key: key, "has a socket path of \(limit) bytes or more")
    }

    /// Whether a text is an IPv4 or IPv6 address, the latter with or without a zone.
    static func isNumericAddress(_ text: String) -> Bool {
        guard !text.utf8.contains(0) else { return false }
        var v4 = in_addr()
        if inet_pton(AF_INET, text, &v4) == 1 { return true }
        let parts = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, parts.count == 1 || !parts[1].isEmpty else { return false }
        var v6 = in6_addr()
        return inet_pton(AF_INET6, String(first), &v6) == 1
    }

    private func checkTLS(_ faults: inout ConfigurationFaults) {
        if case .file(let path) = tls.rootCertificate {
            Self.checkText(path, key: "tls.rootCertificate", &faults)
        }
        if tls.rootCertificate == .system {
            if PQlibVersion() < 160_000 {
                faults.add(
                    key: "tls.rootCertificate",
                    "is system, which needs libpq 16 or later; name a file with the authorities instead")
            }
            let isFull = tls.mode == .verifyFull
            faults.require(isFull, key: "tls.mode", "is not verify-full, which the system's authorities need")
        }
        if let path = tls.clientCertificate { Self.checkText(path, key: "tls.clientCertificate", &faults) }
        if let path = tls.clientKey { Self.checkText(path, key: "tls.clientKey", &faults) }
        if let password = tls.clientKeyPassword?.reveal() {
            Self.checkText(password, key: "tls.clientKeyPassword", &faults)
        }
        if let text = otherKeywords["ssl_max_protocol_version"] {
            guard let maximum = PostgresTLS.ProtocolVersion(keyword: text) else {
                return faults.add(key: "ssl_max_protocol_version", "is no TLS version")
            }
            let isOrdered = tls.minimumVersion <= maximum
            faults.require(isOrdered, key: "tls.minimumVersion", "is later than ssl_max_protocol_version")
        }
    }

    private func checkNetwork(_ faults: inout ConfigurationFaults) {
        func check(_ value: Duration?, _ range: ClosedRange<Duration>, _ key: String) {
            if let value, !range.contains(value) {
                faults.add(key: key, "is not from \(range.lowerBound) to \(range.upperBound)")
            }
        }
        check(connectTimeout, .milliseconds(1)...Self.connectTimeoutLimit, "connectTimeout")
        // The limits of TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT in Linux.
        check(keepAlive.idle, .seconds(1) ... .seconds(32_767), "keepAlive.idle")
        check(keepAlive.interval, .seconds(1) ... .seconds(32_767), "keepAlive.interval")
        if let count = keepAlive.count {
            faults.require((1...127).contains(count), key: "keepAlive.count", "is not from 1 to 127")
        }
        check(tcpUserTimeout, .milliseconds(1)...Self.timeoutLimit, "tcpUserTimeout")
        check(statementTimeout, .milliseconds(1)...Self.timeoutLimit, "statementTimeout")
        check(cancellationGrace, .zero ... .seconds(600), "cancellationGrace")
        check(shutdownTimeout, .zero ... .seconds(3600), "shutdownTimeout")
    }

    private func checkSession(_ faults: inout ConfigurationFaults) {
        let key = "sessionParameters"
        faults.require((0...100_000).contains(statementCacheSize), key: "statementCacheSize", "is not from 0 to 100000")
        for (name, value) in sessionParameters {
            faults.require(Self.isParameterName(name), key: key, "has a name that no server parameter has")
            faults.require(!value.utf8.contains(0), key: key, "has a value with a NUL character")
            if name.lowercased() == "client_encoding" {
                faults.add(key: key, "sets client_encoding, which is always UTF8")
            }
        }
        let length = startupOptions?.utf8.count ?? 0
        faults.require(length <= Self.optionsLimit, key: key, "takes more than \(Self.optionsLimit) bytes")
    }

    /// Whether a text can name a server parameter: identifiers separated by points (`valid_custom_variable_name` in the
    /// server).
    static func isParameterName(_ name: String) -> Bool {
        name.utf8.count <= 2 * nameLimit
            && name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { part in
                guard let first = part.utf8.first else { return false }
                return !isDigit(first) && first != UInt8(ascii: "$") && part.utf8.allSatisfy(isNameByte)
            }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        isDigit(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "$")
    }

    private static func checkName(_ name: String, key: String, _ faults: inout ConfigurationFaults) {
        checkText(name, key: key, &faults)
        faults.require(
            name.utf8.count <= nameLimit, key: key,
            "has more than \(nameLimit) bytes, which the server would cut off")
    }

    private static func checkText(_ text: String, key: String, _ faults: inout ConfigurationFaults) {
        faults.require(!text.isEmpty, key: key, "is empty")
        faults.require(!text.utf8.contains(0), key: key, "holds a NUL character")
    }
}

extension PostgresTLS.ProtocolVersion {
    /// The version that libpq means by a text, which it compares without regard to case.
    init?(keyword: String) {
        guard let version = Self.allCases.first(where: { $0.rawValue.lowercased() == keyword.lowercased() }) else {
            return nil
        }
        self = version
    }
}
