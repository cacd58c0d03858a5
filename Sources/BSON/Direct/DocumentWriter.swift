public import PersistenceCore

/// Writes the fields of a document one after the other, for types that are ``DocumentWritable``.
public struct DocumentWriter: ~Copyable {
    var writer: ByteWriter
    let root: CodingRoot
    private let limits: Document.Limits
    private var depth = 1

    private init(_ root: CodingRoot, limits: Document.Limits) {
        self.root = root
        self.limits = limits
        writer = ByteWriter(capacity: 256)
        writer.limit = max(0, min(limits.byteCount, ByteWriter.maximumCount))
        writer.count = 4
    }

    /// Makes a document of a value.
    static func document(
        of value: some DocumentWritable, _ root: CodingRoot, limits: Document.Limits
    ) throws(PersistenceError) -> Document {
        var fields = DocumentWriter(root, limits: limits)
        do throws(PersistenceError) {
            try value.write(to: &fields)
        } catch {
            guard error.code == .encoding, let path = error.column else { throw error }
            throw error.with { $0.summary = "field \(path): \($0.summary)" }
        }
        fields.writer.finish(from: 0)
        guard fields.writer.count <= limits.byteCount, fields.writer.fault != .tooLong else {
            throw PersistenceError(.tooLarge, "the document has more than \(limits.byteCount) bytes")
        }
        if let fault = fields.writer.fault { throw fault.fault.error }
        return Document(sharing: fields.writer.bytes, start: 0, count: fields.writer.count)
    }

    // MARK: Fields

    /// Writes a field.
    ///
    /// - Parameters:
    ///   - key: The field's key.
    ///   - value: Its value.
    /// - Throws: ``PersistenceCore/PersistenceError`` with the code `encoding` when BSON cannot hold the value; `column`
    ///   names the field.
    @inlinable
    public mutating func write(_ key: StaticString, _ value: some BSONWritable) throws(PersistenceError) {
        let failure: PersistenceError? = key.withUTF8Buffer { bytes in
            do throws(PersistenceError) {
                try value.write(BSONKey(bytes), to: &self)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw Self.within(key.description, failure) }
    }

    /// Writes a field, unless there is no value.
    ///
    /// - Parameters:
    ///   - key: The field's key.
    ///   - value: Its value.
    /// - Throws: What ``write(_:_:)`` throws.
    @inlinable
    public mutating func writeIfPresent(_ key: StaticString, _ value: (some BSONWritable)?) throws(PersistenceError) {
        if let value { try write(key, value) }
    }

    /// Encodes a field whose type is `Encodable` alone.
    ///
    /// - Parameters:
    ///   - key: The field's key.
    ///   - value: Its value.
    /// - Throws: What ``write(_:_:)`` throws.
    public mutating func encode(_ key: StaticString, _ value: some Encodable) throws(PersistenceError) {
        let coded: BSONValue
        do throws(PersistenceError) {
            coded = try self.coded(value)
        } catch {
            throw Self.within(key.description, error)
        }
        key.withUTF8Buffer { writer.append($0, coded) }
    }

    /// Writes a value as it is.
    ///
    /// - Parameters:
    ///   - key: The field's key.
    ///   - value: The value.
    public mutating func append(_ key: borrowing BSONKey, _ value: BSONValue) {
        writer.append(key.bytes, value)
    }

    /// Has the encoder of `Codable` write a value.
    func coded(_ value: some Encodable) throws(PersistenceError) -> BSONValue {
        let limits = Document.Limits(byteCount: limits.byteCount, depth: limits.depth - depth)
        return try BSONEncoder(root: root, limits: limits).encodeValue(value, namesField: false)
    }

    // MARK: Places

    /// Opens a document or an array.
    ///
    /// - Returns: Where it begins, or `nil` when the document has become too long.
    @usableFromInline
    mutating func open(_ key: borrowing BSONKey, _ type: BSONType) throws(PersistenceError) -> Int? {
        guard depth < limits.depth else {
            throw PersistenceError(.tooLarge, "the document is nested more than \(limits.depth) levels deep")
        }
        guard let start = writer.field(type.rawValue, key.bytes, valueSize: 4) else { return nil }
        depth += 1
        return start
    }

    /// Closes the document or array that began there.
    @usableFromInline
    mutating func close(from start: Int) {
        depth -= 1
        writer.finish(from: start)
    }

    @usableFromInline
    static func within(_ key: String, _ error: PersistenceError) -> PersistenceError {
        error.with { $0.column = $0.column.map { "\(key).\($0)" } ?? key }
    }
}
