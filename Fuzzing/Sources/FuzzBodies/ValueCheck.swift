import PersistenceCore

@testable import PostgresEngine

/// One Swift type whose values are read from bytes.
///
/// What can be read must be what is sent again: a value read from bytes, sent, and read once more is the same value.
struct ValueCheck: Sendable {
    let name: String
    /// The type that its values have, when the input names none.
    let type: PostgresType
    let check: @Sendable (UnsafeRawBufferPointer, PostgresType, PostgresFormat) throws(Finding) -> Void

    /// The type of values that a database defines.
    static let userDefined = PostgresType(oid: 20_000)

    /// A type that is read and sent.
    ///
    /// - Parameters:
    ///   - swiftType: The type.
    ///   - type: The type that the server gives its values.
    ///   - mayRefuse: Whether values can be read that cannot be sent: texts with a NUL, which no server has.
    ///   - isReadBack: Whether a value that has been sent can be read without the server's naming its type.
    init<T: PostgresEncodable & PostgresDecodable & Equatable & SendableMetatype>(
        _ swiftType: T.Type, type: PostgresType = T.postgresBinaryType, mayRefuse: Bool = false,
        isReadBack: Bool = true
    ) {
        name = "\(T.self)"
        self.type = type
        check = { (bytes, found, format) throws(Finding) in
            guard let value = try Self.decode(T.self, bytes, found, format) else { return }
            guard let first = try Self.encode(value, mayRefuse: mayRefuse), isReadBack else { return }
            let again = try first.withBytes { (bytes) throws(Finding) in
                try Self.decode(T.self, bytes, type, .binary)
            }
            guard let again else { throw Finding("what \(T.self) sends cannot be read") }
            let second = try Self.encode(again, mayRefuse: false)
            // Not equal to itself where it holds a NaN, and of another order of bytes where it holds a dictionary.
            try require(again == value || second == first, "\(T.self) changes on its way")
        }
    }

    /// A type that is only read.
    init<T: PostgresDecodable & SendableMetatype>(reading swiftType: T.Type, type: PostgresType) {
        name = "\(T.self)"
        self.type = type
        check = { (bytes, found, format) throws(Finding) in _ = try Self.decode(T.self, bytes, found, format) }
    }

    /// Reads a value; `nil` when that is refused as it should be.
    private static func decode<T: PostgresDecodable>(
        _ swiftType: T.Type, _ bytes: UnsafeRawBufferPointer, _ type: PostgresType, _ format: PostgresFormat
    ) throws(Finding) -> T? {
        let value: T
        do {
            value = try T.decode(PostgresValue(bytes: bytes, type: type, format: format))
        } catch {
            try require(error.code == .decoding, "\(T.self) throws \(error.code)")
            return nil
        }
        try require(format == .text || T.canDecode(type), "\(T.self) reads \(type.name), and says that it does not")
        return value
    }

    private static func encode<T: PostgresEncodable>(_ value: T, mayRefuse: Bool) throws(Finding) -> [UInt8]? {
        var writer = PostgresWriter()
        do {
            try value.encodeBinary(into: &writer)
        } catch {
            try require(error.code == .encoding, "\(T.self) throws \(error.code)")
            try require(mayRefuse, "\(T.self) was read and cannot be sent")
            return nil
        }
        return writer.bytes
    }

    /// The input: which Swift type, with the highest bit for the text format; two bytes with the type's identifier, 0 for
    /// its own and 1 for one that a database defines; the value.
    static func run(_ checks: [ValueCheck], _ input: UnsafeRawBufferPointer) throws {
        guard input.count >= 3 else { return }
        let check = checks[Int(input[0] & 0x7F) % checks.count]
        let type =
            switch UInt32(input[1]) << 8 | UInt32(input[2]) {
            case 0: check.type
            case 1: Self.userDefined
            case let oid: PostgresType(oid: oid)
            }
        // A copy that ends where its memory ends, so that a sanitizer sees what reads beyond it.
        try Array(input.from(3)).withBytes { (bytes) throws(Finding) in
            try check.check(bytes, type, input[0] & 0x80 == 0 ? .binary : .text)
        }
    }
}

extension [UInt8] {
    /// Lends a copy without anything behind it.
    func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws(Finding) -> R) throws(Finding) -> R {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
        defer { memory.deallocate() }
        memory.copyBytes(from: self)
        return try body(UnsafeRawBufferPointer(memory))
    }
}
