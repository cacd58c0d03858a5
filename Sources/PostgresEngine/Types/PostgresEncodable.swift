public import PersistenceCore

/// A Swift type that can be a parameter of a statement.
public protocol PostgresEncodable {
    /// The type that the parameter is declared as; ``PostgresType/unspecified`` lets the server infer it.
    static var postgresType: PostgresType { get }

    /// The representation that ``encode(into:)`` writes.
    static var postgresFormat: PostgresFormat { get }

    /// Appends the value's bytes, without a length.
    ///
    /// - Parameter writer: Takes the bytes.
    /// - Throws: ``PersistenceError`` with the code `encoding` when PostgreSQL's type cannot hold the value.
    func encode(into writer: inout PostgresWriter) throws(PersistenceError)
}

extension PostgresEncodable {
    /// Binary, unless the type says otherwise.
    public static var postgresFormat: PostgresFormat { .binary }
}

/// A growing run of bytes in PostgreSQL's wire representation: integers in network byte order.
public struct PostgresWriter: Sendable {
    /// The bytes written so far.
    @usableFromInline var bytes: [UInt8]

    /// Creates an empty writer.
    @inlinable
    public init() {
        bytes = []
    }

    /// How many bytes have been written.
    @inlinable
    public var count: Int { bytes.count }

    /// Forgets all bytes and keeps the memory.
    @inlinable
    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
    }

    /// Appends an integer in network byte order.
    ///
    /// - Parameter value: The integer.
    @inlinable
    public mutating func write<T: FixedWidthInteger>(_ value: T) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    /// Appends bytes as they are.
    ///
    /// - Parameter sequence: The bytes.
    @inlinable
    public mutating func write(bytes sequence: some Sequence<UInt8>) {
        bytes.append(contentsOf: sequence)
    }

    /// Appends a string's UTF-8 bytes, without a terminator.
    ///
    /// - Parameter string: The string.
    @inlinable
    public mutating func write(utf8 string: String) {
        bytes.append(contentsOf: string.utf8)
    }

    /// Appends a four-byte length, then what `body` writes; the length counts only the latter.
    ///
    /// - Parameter body: Writes the value.
    /// - Throws: What `body` throws.
    @inlinable
    public mutating func writeWithLength<E: Error>(_ body: (inout PostgresWriter) throws(E) -> Void) throws(E) {
        let start = bytes.count
        write(Int32(0))
        try body(&self)
        let length = Int32(truncatingIfNeeded: bytes.count - start - 4)
        withUnsafeBytes(of: length.bigEndian) { source in
            for index in 0..<4 { bytes[start + index] = source[index] }
        }
    }
}
