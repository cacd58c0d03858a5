public import PersistenceCore

/// The parameters of one execution, encoded as they are appended.
///
/// All values share one run of bytes, so that binding costs no allocation per parameter.
public struct PostgresParameters: Sendable {
    @usableFromInline
    struct Parameter: Sendable {
        @usableFromInline var type: PostgresType
        @usableFromInline var format: PostgresFormat
        /// Where the value starts in the writer's bytes.
        @usableFromInline var offset: Int
        /// The value's length in bytes; -1 is NULL.
        @usableFromInline var length: Int

        @usableFromInline
        init(type: PostgresType, format: PostgresFormat, offset: Int, length: Int) {
            self.type = type
            self.format = format
            self.offset = offset
            self.length = length
        }
    }

    @usableFromInline var writer = PostgresWriter()
    @usableFromInline var items: [Parameter] = []

    /// Creates an empty list.
    public init() {}

    /// How many parameters have been appended.
    public var count: Int { items.count }

    /// Appends a value.
    ///
    /// - Parameter value: The value.
    /// - Throws: ``PersistenceError`` with the code `encoding` when PostgreSQL's type cannot hold the value, or `tooLarge`
    ///   when it has 1 GiB or more.
    @inlinable
    public mutating func append<T: PostgresEncodable>(_ value: T) throws(PersistenceError) {
        if items.isEmpty { reserve() }
        let offset = writer.count
        try value.encode(into: &writer)
        let length = Int(try PostgresWriter.checkedLength(writer.count - offset))
        items.append(
            Parameter(type: T.postgresType, format: T.postgresFormat, offset: offset, length: length))
        // libpq takes lengths as C ints and text as C strings.
        if T.postgresFormat == .text {
            writer.write(UInt8(0))
        }
    }

    /// Appends a value, or NULL of its type.
    ///
    /// - Parameter value: The value, or `nil` for NULL.
    /// - Throws: ``PersistenceError`` with the code `encoding` when PostgreSQL's type cannot hold the value, or `tooLarge`
    ///   when it has 1 GiB or more.
    @inlinable
    public mutating func append<T: PostgresEncodable>(_ value: T?) throws(PersistenceError) {
        if let value {
            try append(value)
        } else {
            items.append(Parameter(type: T.postgresType, format: T.postgresFormat, offset: 0, length: -1))
        }
    }

    /// Room for the parameters of most statements, so that memory is asked for once.
    @usableFromInline
    mutating func reserve() {
        items.reserveCapacity(8)
        if writer.room.isEmpty { writer.makeRoom(for: 128) }
    }

    /// Forgets all parameters and keeps the memory.
    mutating func removeAll() {
        writer.removeAll()
        items.removeAll(keepingCapacity: true)
    }
}
