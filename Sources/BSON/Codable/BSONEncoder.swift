public import PersistenceCore

/// Makes documents of values of `Encodable` types.
///
/// Fields are written straight into the bytes of the document, in the order in which the type encodes them.
///
/// ```swift
/// struct Order: Codable {
///     var _id: ObjectID
///     var status: String
///     var placed: Date
/// }
/// let document = try BSONEncoder().encode(Order(_id: ObjectID(), status: "paid", placed: .now))
/// ```
///
/// - `Int`, `Int64`, `UInt32` and larger ones become 64-bit integers, smaller ones 32-bit integers, `Float` and `Double`
///   doubles. `UInt` and `UInt64` that do not fit are an error.
/// - `Date`, `UUID` and `Data` follow ``options``. `URL` becomes a string, `Decimal` a decimal128.
/// - ``BSONValue``, ``Document``, ``ObjectID`` and the other types of this module are written as they are.
/// - `nil` of an optional property is left out, because that is what `Codable` does.
public struct BSONEncoder: Sendable {
    private var root: CodingRoot

    /// How dates, UUIDs and data are stored.
    public var options: BSONCodingOptions {
        get { root.options }
        set { root = CodingRoot(options: newValue) }
    }

    /// The size and the depth that are allowed.
    ///
    /// The depth is not looked for within values that are documents already.
    public var limits: Document.Limits

    /// Creates an encoder.
    ///
    /// - Parameters:
    ///   - options: How dates, UUIDs and data are stored.
    ///   - limits: The size and the depth that are allowed.
    public init(options: BSONCodingOptions = BSONCodingOptions(), limits: Document.Limits = .standard) {
        root = CodingRoot(options: options)
        self.limits = limits
    }

    init(root: CodingRoot, limits: Document.Limits) {
        self.root = root
        self.limits = limits
    }

    /// Makes a document of a value that writes its own fields.
    ///
    /// - Parameter value: The value.
    /// - Returns: The document.
    /// - Throws: ``PersistenceCore/PersistenceError``: `encoding` when BSON cannot hold a field; `column` names it. With
    ///   `tooLarge` beyond the limits. What the type itself throws.
    public func encode(_ value: some DocumentWritable) throws(PersistenceError) -> Document {
        try DocumentWriter.document(of: value, root, limits: limits)
    }

    /// Makes a document of a value.
    ///
    /// - Parameter value: A value that encodes fields: a struct, a dictionary with string keys, a ``Document``.
    /// - Returns: The document.
    /// - Throws: ``PersistenceCore/PersistenceError`` with the code `encoding` when the value encodes no fields, or
    ///   something that BSON cannot hold (a NUL in a key, an integer beyond 64 bits); `column` names the field,
    ///   `underlying` is the `EncodingError` or what the type itself threw. With `tooLarge` beyond the limits.
    public func encode(_ value: some Encodable) throws(PersistenceError) -> Document {
        guard case .document(let document) = try encodeValue(value) else {
            throw PersistenceError(.encoding, "the value does not encode fields, so it cannot be a document")
        }
        return document
    }

    /// Makes a BSON value of a value, which need not be a document.
    ///
    /// - Parameter value: Any value.
    /// - Returns: The BSON value.
    /// - Throws: ``PersistenceCore/PersistenceError``: what encoding a document throws, but that the value may be anything.
    public func encodeValue(_ value: some Encodable) throws(PersistenceError) -> BSONValue {
        try encodeValue(value, namesField: true)
    }

    /// Makes a BSON value, and leaves it to the caller to name the field in an error's summary, unless `namesField`.
    func encodeValue(_ value: some Encodable, namesField: Bool) throws(PersistenceError) -> BSONValue {
        let state = EncodingState(root, limits: limits)
        let level = EncodingLevel(root: state)
        do {
            try level.encodeWhole(value)
        } catch {
            throw Self.surface(error, namesField: namesField)
        }
        let (type, bytes, count) = state.finish()
        let fault = state.writer.pointee.fault
        guard count <= limits.byteCount, fault != .tooLong else {
            throw PersistenceError(.tooLarge, "the document has more than \(limits.byteCount) bytes")
        }
        if let fault { throw fault.fault.error }
        if type == 0x03 { return .document(Document(sharing: bytes, start: 0, count: count)) }
        if type == 0x04 { return .array(BSONArray(storage: Document(sharing: bytes, start: 0, count: count))) }
        let element = RawElement(type: type, keyCount: 0, valueStart: 0, valueEnd: count)
        return bytes.withUnsafeBytes { BSONValue(reading: element, in: $0, of: bytes) }
    }

    private static func surface(_ error: any Error, namesField: Bool) -> PersistenceError {
        if let error = error as? PersistenceError { return error }
        guard case .invalidValue(_, let context)? = error as? EncodingError else {
            return PersistenceError(.encoding, "the type could not be made into a document")
                .with { $0.underlying = error }
        }
        let name = context.codingPath.map(\.stringValue).joined(separator: ".")
        // Only our own descriptions are known to quote no values.
        let summary =
            context.underlyingError is OwnEncodingError ? context.debugDescription : "the value cannot be held"
        return PersistenceError(.encoding, name.isEmpty || !namesField ? summary : "field \(name): \(summary)").with {
            $0.column = name.isEmpty ? nil : name
            $0.underlying = error
        }
    }
}

/// What an `EncodingError` of ours has as its underlying error: its description quotes no values.
struct OwnEncodingError: Error {
    let summary: String

    init(_ summary: String) {
        self.summary = summary
    }
}
