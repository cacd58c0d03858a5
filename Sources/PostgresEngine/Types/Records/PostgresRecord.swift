public import PersistenceCore

/// A Swift type that is read from a composite value: a row type, a `CREATE TYPE … AS (…)`, or an anonymous `ROW(…)`.
public protocol PostgresRecordDecodable: PostgresDecodable {
    /// Reads the fields in the order of the type's definition.
    ///
    /// - Parameter record: Lends the fields; every one has to be read.
    /// - Throws: ``PersistenceError`` with the code `decoding`.
    init(record: inout PostgresRecordReader) throws(PersistenceError)
}

/// A Swift type that is sent as a composite value.
///
/// The server takes the composite type from the statement (`$1::address`, or the column that the value goes to). It compares
/// the types of built-in fields with the definition, so a `String` that goes to another type than `text` names it:
/// `record.append(code, as: .varchar)`. Before PostgreSQL 14 the server also compares the types of fields that are not
/// built in, such as enums, whose identifiers a client does not know.
public protocol PostgresRecordEncodable: PostgresEncodable {
    /// Appends the fields in the order of the type's definition.
    ///
    /// - Parameter record: Takes the fields.
    /// - Throws: ``PersistenceError`` with the code `encoding`.
    func encode(to record: inout PostgresRecordWriter) throws(PersistenceError)
}

/// A Swift type for a composite type, both ways.
///
/// ```swift
/// struct Address: PostgresComposite {
///     var street: String
///     var number: Int32?
///
///     init(record: inout PostgresRecordReader) throws(PersistenceError) {
///         street = try record.read()
///         number = try record.read()
///     }
///
///     func encode(to record: inout PostgresRecordWriter) throws(PersistenceError) {
///         try record.append(street)
///         try record.append(number)
///     }
/// }
/// ```
public protocol PostgresComposite: PostgresRecordDecodable, PostgresRecordEncodable, PostgresElement {}

extension PostgresComposite {
    /// Left to the server, as the composite type is.
    public static var postgresArrayType: PostgresType { .unspecified }
}

extension PostgresRecordDecodable {
    /// Reads composite types and anonymous records.
    public static func canDecode(_ type: PostgresType) -> Bool { type == .record || type.isUserDefined }

    /// Reads a composite value, to its last field.
    public static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> Self {
        try value.readRecord(as: Self.self) { record throws(PersistenceError) in try Self(record: &record) }
    }
}

extension PostgresRecordEncodable {
    /// Left to the server: composite types have no fixed identifier.
    public static var postgresType: PostgresType { .unspecified }

    /// `record`, which stands for any composite type from PostgreSQL 14 on.
    public static var postgresBinaryType: PostgresType { .record }

    /// Appends the fields.
    public func encode(into writer: inout PostgresWriter) throws(PersistenceError) {
        let start = writer.count
        writer.write(Int32(0))
        // Moved in and out, so that the bytes are not copied.
        var record = PostgresRecordWriter(writer: writer)
        writer = PostgresWriter()
        defer { writer = record.writer }
        try encode(to: &record)
        record.writer.overwrite(record.count, at: start)
    }
}

extension PostgresValue {
    /// Reads a composite value, to its last field.
    borrowing func readRecord<T: PostgresDecodable, R>(
        as type: T.Type,
        _ body: (inout PostgresRecordReader) throws(PersistenceError) -> R
    ) throws(PersistenceError) -> R {
        try read(as: type) { reader throws(PersistenceError) in
            let count = Int(try reader.read(Int32.self))
            // A field takes its type and its length at least.
            guard count >= 0, count <= reader.remaining / 8 else {
                throw reader.malformed("the number of fields is impossible")
            }
            let (pointer, remaining, type) = (reader.pointer, reader.remaining, reader.type)
            var record = PostgresRecordReader(
                count: count, fields: PostgresReader(start: pointer, count: remaining, type: type))
            let result = try body(&record)
            guard record.index == count else {
                throw PersistenceError(.decoding, "the record has \(count) fields, of which \(record.index) were read")
            }
            _ = try reader.advance(remaining - record.fields.remaining)
            return result
        }
    }
}

/// Reads the fields of a composite value in order.
public struct PostgresRecordReader: ~Copyable {
    /// How many fields the record has.
    public let count: Int

    /// How many fields have been read.
    public private(set) var index = 0

    fileprivate var fields: PostgresReader

    fileprivate init(count: Int, fields: consuming PostgresReader) {
        self.count = count
        self.fields = fields
    }

    /// Reads the next field.
    ///
    /// - Parameter type: The Swift type to read; an optional type accepts NULL.
    /// - Returns: The field's value.
    /// - Throws: ``PersistenceError`` with the code `decoding`, naming the field's number, the expected and the found type.
    public mutating func read<T: PostgresDecodable>(_ type: T.Type = T.self) throws(PersistenceError) -> T {
        guard index < count else {
            throw PersistenceError(.decoding, "the record has \(count) fields, of which one more was asked for")
        }
        index += 1
        do throws(PersistenceError) {
            return try fields.readField(type, type: PostgresType(oid: try fields.read(UInt32.self)))
        } catch {
            let number = index
            throw error.with { $0.summary = "field \(number): \($0.summary)" }
        }
    }
}

/// Takes the fields of a composite value in order.
public struct PostgresRecordWriter {
    fileprivate var writer: PostgresWriter
    fileprivate var count: Int32 = 0

    fileprivate init(writer: PostgresWriter) {
        self.writer = writer
    }

    /// Appends a field.
    ///
    /// - Parameters:
    ///   - value: The field's value; `nil` is NULL.
    ///   - type: The field's type in the definition, where it is not the one that the Swift type stands for: `varchar` for a
    ///     `String`, `int4` is not one for an `Int`, because the bytes differ.
    /// - Throws: ``PersistenceError`` with the code `encoding` when PostgreSQL's type cannot hold the value.
    public mutating func append<T: PostgresEncodable>(
        _ value: T?, as type: PostgresType = T.postgresBinaryType
    ) throws(PersistenceError) {
        writer.write(type.oid)
        try writer.writeField(value)
        count += 1
    }
}

/// An anonymous record, such as the value of `ROW(1, 'a')`, with the types of its fields.
///
/// ```swift
/// let record = try await postgres.first("SELECT ROW(1, 'a'::text)", as: PostgresRecord<Int, String>.self)
/// ```
public struct PostgresRecord<each Field: PostgresDecodable>: PostgresRecordDecodable {
    /// The fields.
    public let fields: (repeat each Field)

    /// Reads the fields in order.
    ///
    /// - Parameter record: Lends the fields.
    /// - Throws: ``PersistenceError`` with the code `decoding`.
    public init(record: inout PostgresRecordReader) throws(PersistenceError) {
        fields = (repeat try record.read((each Field).self))
    }
}

extension PostgresRecord: Sendable where repeat each Field: Sendable {}
