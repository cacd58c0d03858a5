public import PersistenceCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// An address of a host with the length of its network's prefix, PostgreSQL's `inet`.
public struct PostgresInet: Hashable, Sendable {
    /// The version of the Internet Protocol.
    public enum Family: UInt8, Hashable, Sendable {
        // `PGSQL_AF_INET` and `PGSQL_AF_INET6`, which are the same on every platform.
        /// Addresses of 32 bits.
        case v4 = 2
        /// Addresses of 128 bits.
        case v6 = 3

        /// How many bits an address has.
        public var width: Int { self == .v4 ? 32 : 128 }
    }

    /// The version of the Internet Protocol.
    public let family: Family

    /// The address as a number.
    public let address: UInt128

    /// How many leading bits are the network's.
    public let prefixLength: Int

    /// Creates an address.
    ///
    /// - Parameters:
    ///   - family: The version of the Internet Protocol.
    ///   - address: The address as a number; `nil` is returned when it has more bits than the family.
    ///   - prefixLength: How many leading bits are the network's, all by default; `nil` is returned when there are not as many.
    public init?(_ family: Family, address: UInt128, prefixLength: Int? = nil) {
        let prefixLength = prefixLength ?? family.width
        guard family == .v6 || address <= UInt128(UInt32.max), (0...family.width).contains(prefixLength) else {
            return nil
        }
        self.family = family
        self.address = address
        self.prefixLength = prefixLength
    }

    /// The bits that are not the network's.
    var hostBits: UInt128 {
        let width = family.width - prefixLength
        return width == 128 ? address : address & ((1 << UInt128(width)) - 1)
    }
}

extension PostgresInet: LosslessStringConvertible {
    /// Reads an address such as `192.0.2.7`, `192.0.2.7/24` or `2001:db8::1/64`.
    ///
    /// - Parameter description: The address; `nil` is returned when it is none.
    public init?(_ description: String) {
        let parts = description.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let host = parts.first.map(String.init), !host.utf8.contains(0) else { return nil }
        var prefixLength: Int?
        if parts.count == 2 {
            guard let length = Int(parts[1]), parts[1].utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
            prefixLength = length
        }
        let family: Family = host.utf8.contains(UInt8(ascii: ":")) ? .v6 : .v4
        var bytes: UInt128 = 0
        let isAddress = withUnsafeMutableBytes(of: &bytes) { buffer in
            inet_pton(family == .v4 ? AF_INET : AF_INET6, host, buffer.baseAddress) == 1
        }
        guard isAddress else { return nil }
        let address = family == .v6 ? UInt128(bigEndian: bytes) : UInt128(bigEndian: bytes) >> 96
        self.init(family, address: address, prefixLength: prefixLength)
    }

    /// The address as PostgreSQL writes it; the prefix is left out when it is the whole address.
    public var description: String {
        prefixLength == family.width ? host : "\(host)/\(prefixLength)"
    }

    /// The address without its prefix, such as `192.0.2.7`.
    public var host: String {
        let bytes = (family == .v6 ? address : address << 96).bigEndian
        return withUnsafeBytes(of: bytes) { source in
            // Longer than the longest address, so that the function cannot fail.
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { target in
                let end = inet_ntop(family == .v4 ? AF_INET : AF_INET6, source.baseAddress, target.baseAddress, 64)
                return end.map { String(cString: $0) } ?? ""
            }
        }
    }
}

extension PostgresInet: PostgresElement {
    /// `inet`.
    public static var postgresType: PostgresType { .inet }

    /// Reads `inet`, and `cidr`, of which every value is one.
    public static func canDecode(_ type: PostgresType) -> Bool { type == .inet || type == .cidr }

    /// Reads `inet` or `cidr`.
    public static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> PostgresInet {
        try value.read(as: PostgresInet.self) { reader throws(PersistenceError) in try PostgresInet(from: &reader) }
    }

    init(from reader: inout PostgresReader) throws(PersistenceError) {
        guard let family = Family(rawValue: try reader.read()) else { throw reader.malformed("its family is unknown") }
        let prefixLength = Int(try reader.read(UInt8.self))
        let isNetwork = try reader.read(UInt8.self)
        let size = try reader.read(UInt8.self)
        guard isNetwork <= 1, Int(size) * 8 == family.width else { throw reader.malformed("its length is wrong") }
        let address =
            switch family {
            case .v4: UInt128(try reader.read(UInt32.self))
            case .v6: try reader.read(UInt128.self)
            }
        guard let result = PostgresInet(family, address: address, prefixLength: prefixLength) else {
            throw reader.malformed("its prefix is too long")
        }
        self = result
    }

    /// Appends the address.
    public func encode(into writer: inout PostgresWriter) { encode(isNetwork: false, into: &writer) }

    func encode(isNetwork: Bool, into writer: inout PostgresWriter) {
        writer.write(family.rawValue)
        writer.write(UInt8(truncatingIfNeeded: prefixLength))
        writer.write(isNetwork ? 1 as UInt8 : 0)
        writer.write(UInt8(truncatingIfNeeded: family.width / 8))
        switch family {
        case .v4: writer.write(UInt32(truncatingIfNeeded: address))
        case .v6: writer.write(address)
        }
    }
}

/// A network, PostgreSQL's `cidr`: an address whose bits beyond the prefix are zero.
public struct PostgresCIDR: Hashable, Sendable, LosslessStringConvertible {
    /// The network's address and prefix.
    public let network: PostgresInet

    /// Creates a network.
    ///
    /// - Parameter network: The address and prefix; `nil` is returned when a bit beyond the prefix is set.
    public init?(_ network: PostgresInet) {
        guard network.hostBits == 0 else { return nil }
        self.network = network
    }

    /// Reads a network such as `192.0.2.0/24`.
    ///
    /// - Parameter description: The network; `nil` is returned when it is none.
    public init?(_ description: String) {
        guard let network = PostgresInet(description) else { return nil }
        self.init(network)
    }

    /// The network as PostgreSQL writes it, always with its prefix.
    public var description: String { "\(network.host)/\(network.prefixLength)" }
}

extension PostgresCIDR: PostgresElement {
    /// `cidr`.
    public static var postgresType: PostgresType { .cidr }

    /// Reads `cidr`.
    public static func canDecode(_ type: PostgresType) -> Bool { type == .cidr }

    /// Reads `cidr`.
    public static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> PostgresCIDR {
        try value.read(as: PostgresCIDR.self) { reader throws(PersistenceError) in
            guard let network = PostgresCIDR(try PostgresInet(from: &reader)) else {
                throw reader.malformed("a bit beyond its prefix is set")
            }
            return network
        }
    }

    /// Appends the network.
    public func encode(into writer: inout PostgresWriter) { network.encode(isNetwork: true, into: &writer) }
}
