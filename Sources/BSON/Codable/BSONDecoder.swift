public import PersistenceCore

/// Makes values of `Decodable` types of documents.
///
/// Fields are found in place: the decoder expects them in the order in which the type asks for them, and searches only
/// when they are in another. It makes no strings of keys and copies nothing but the values asked for.
///
/// ```swift
/// struct Order: Codable {
///     var _id: ObjectID
///     var status: String
///     var placed: Date
/// }
/// let order = try BSONDecoder().decode(Order.self, from: document)
/// ```
///
/// - Numbers of any BSON type decode into any Swift type that can hold them exactly; a double that cannot be a `Float`
///   exactly is rounded.
/// - `Date`, `UUID` and `Data` follow ``options``. `URL` is a string, `Decimal` a decimal128.
/// - ``BSONValue``, ``Document``, ``ObjectID`` and the other types of this module are taken as they are; documents,
///   arrays and binaries share the bytes they came from.
/// - When a key occurs more than once, it is not defined which of its fields is decoded.
/// - Documents within each other are decoded up to 200 levels deep.
public struct BSONDecoder: Sendable {
    private(set) var root: CodingRoot

    /// How dates, UUIDs and data are stored.
    public var options: BSONCodingOptions {
        get { root.options }
        set { root = CodingRoot(options: newValue) }
    }

    /// Creates a decoder.
    ///
    /// - Parameter options: How dates, UUIDs and data are stored.
    public init(options: BSONCodingOptions = BSONCodingOptions()) {
        root = CodingRoot(options: options)
    }

    /// Makes a value of a document.
    ///
    /// - Parameters:
    ///   - type: The type of the value.
    ///   - document: The document.
    /// - Returns: The value.
    /// - Throws: ``PersistenceCore/PersistenceError`` with the code `decoding`: a field is missing, has a type that does
    ///   not fit, or holds what the type does not take. `column` names the field, with dots for nesting; `underlying`
    ///   is the `DecodingError`, or whatever the type itself threw.
    public func decode<Value: Decodable>(
        _ type: Value.Type, from document: Document
    ) throws(PersistenceError) -> Value {
        try decode(type, at: DecodingLevel(root: document, root))
    }

    /// Makes a value of a document, when its type reads its own fields.
    ///
    /// - Parameters:
    ///   - type: The type of the value.
    ///   - document: The document.
    /// - Returns: The value.
    /// - Throws: ``PersistenceCore/PersistenceError`` with the code `decoding`: a field is missing, has a type that does
    ///   not fit, or holds what the type does not take. `column` names the field, with dots for nesting. What the type
    ///   itself throws.
    public func decode<Value: DocumentReadable>(
        _ type: Value.Type, from document: Document
    ) throws(PersistenceError) -> Value {
        try DocumentReader.read(type, from: document, root)
    }

    /// Makes a value of a BSON value, which need not be a document.
    ///
    /// - Parameters:
    ///   - type: The type of the value.
    ///   - value: The BSON value.
    /// - Returns: The value.
    /// - Throws: ``PersistenceCore/PersistenceError``: what decoding a document throws.
    public func decodeValue<Value: Decodable>(
        _ type: Value.Type, from value: BSONValue
    ) throws(PersistenceError) -> Value {
        if case .document(let document) = value { return try decode(type, from: document) }
        let wrapper: Document = ["": value]
        let found = wrapper.bytes.withUnsafeBytes { RawElement(in: $0, at: 4, end: wrapper.end) }
        guard let element = found else { throw PersistenceError(.internal, "a value that was written cannot be read") }
        let outer = DecodingLevel(root: wrapper, root)
        outer.isTransparent = true
        return try decode(type, at: DecodingLevel(element, parent: outer, pathIndex: nil))
    }

    private func decode<Value: Decodable>(
        _ type: Value.Type, at level: DecodingLevel
    ) throws(PersistenceError) -> Value {
        do {
            return try level.decode(type)
        } catch {
            throw Self.surface(error)
        }
    }

    /// Tells what went wrong by kind and place.
    ///
    /// A `DecodingError`'s own description is left out, because types may quote values in it.
    static func surface(_ error: any Error) -> PersistenceError {
        let surface = withoutPath(error)
        guard error is DecodingError, let name = surface.column else { return surface }
        return surface.with { $0.summary = "field \(name): \($0.summary)" }
    }

    /// The same, with the field's name in `column` alone.
    static func withoutPath(_ error: any Error) -> PersistenceError {
        if let error = error as? PersistenceError { return error }
        var surface: PersistenceError
        if let problem = error as? DecodingError {
            let (path, summary) = describe(problem)
            let name = path.map(\.stringValue).joined(separator: ".")
            surface = PersistenceError(.decoding, summary)
            surface.column = name.isEmpty ? nil : name
        } else {
            surface = PersistenceError(.decoding, "the type could not be made of the document")
        }
        surface.underlying = error
        return surface
    }

    private static func describe(_ error: DecodingError) -> ([any CodingKey], String) {
        switch error {
        case .keyNotFound(let key, let context):
            return (context.codingPath + [key], "there is no such field")
        case .valueNotFound(let type, let context):
            return (context.codingPath, "\(type) was expected, but there is no value")
        case .typeMismatch(let type, let context):
            // Ours say which type was found.
            let found = (context.underlyingError as? FoundType).map { ", found \($0.type)" } ?? ""
            return (context.codingPath, "\(type) was expected\(found)")
        case .dataCorrupted(let context):
            return (context.codingPath, "the value is not one that the type takes")
        @unknown default:
            return ([], "the document does not fit the type")
        }
    }
}

/// What a `DecodingError` of ours has as its underlying error: the type that was there instead.
struct FoundType: Error {
    var type: BSONType
}

/// A key of a coding path.
struct PathKey: CodingKey {
    var stringValue: String
    var intValue: Int?

    init(stringValue: String) {
        self.stringValue = stringValue
    }

    init(intValue: Int) {
        self.intValue = intValue
        stringValue = String(intValue)
    }

    static let `super` = PathKey(stringValue: "super")
}
