public import BSON

/// An order of documents, or the keys of an index: fields with a direction each.
///
/// ```swift
/// let newestFirst: MongoSort = .descending("placedAt").ascending("_id")
/// ```
public struct MongoSort: Sendable, Hashable {
    /// The order as it is sent.
    public private(set) var document = Document()

    /// No order.
    public init() {}

    /// By a field, smallest first.
    ///
    /// - Parameter path: The field.
    /// - Returns: The order.
    public static func ascending(_ path: FieldPath) -> MongoSort { MongoSort().ascending(path) }

    /// By a field, greatest first.
    ///
    /// - Parameter path: The field.
    /// - Returns: The order.
    public static func descending(_ path: FieldPath) -> MongoSort { MongoSort().descending(path) }

    /// Then by a field, smallest first.
    ///
    /// - Parameter path: The field.
    /// - Returns: The longer order.
    public func ascending(_ path: FieldPath) -> MongoSort { adding(path, .int32(1)) }

    /// Then by a field, greatest first.
    ///
    /// - Parameter path: The field.
    /// - Returns: The longer order.
    public func descending(_ path: FieldPath) -> MongoSort { adding(path, .int32(-1)) }

    func adding(_ path: FieldPath, _ direction: BSONValue) -> MongoSort {
        var copy = self
        copy.document[path.text] = direction
        return copy
    }
}

/// Which fields of documents come back.
///
/// ```swift
/// let projection: MongoProjection = .including("name", "address.city").withoutID()
/// ```
public struct MongoProjection: Sendable, Hashable {
    /// The projection as it is sent.
    public private(set) var document: Document

    /// Takes a projection document as it is.
    ///
    /// - Parameter document: The projection document.
    public init(trusted document: Document) {
        self.document = document
    }

    /// These fields and `_id`.
    ///
    /// - Parameter paths: The fields.
    /// - Returns: The projection.
    public static func including(_ paths: FieldPath...) -> MongoProjection {
        MongoProjection(trusted: Document(paths.map { ($0.text, .int32(1)) }))
    }

    /// All fields but these.
    ///
    /// - Parameter paths: The fields.
    /// - Returns: The projection.
    public static func excluding(_ paths: FieldPath...) -> MongoProjection {
        MongoProjection(trusted: Document(paths.map { ($0.text, .int32(0)) }))
    }

    /// The same without `_id`.
    ///
    /// - Returns: The projection.
    public func withoutID() -> MongoProjection {
        var copy = self
        copy.document["_id"] = .int32(0)
        return copy
    }

    /// The same, with a field that is computed.
    ///
    /// - Parameters:
    ///   - path: The field's name in the result.
    ///   - expression: Its value.
    /// - Returns: The projection.
    public func adding(_ path: FieldPath, _ expression: MongoExpression) -> MongoProjection {
        var copy = self
        copy.document[path.text] = expression.value
        return copy
    }
}
