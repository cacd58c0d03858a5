public import BSON

/// Which documents an operation is about.
///
/// ```swift
/// let status = Field<String>("status")
/// let total = Field<Int>("total")
/// let filter = status == wanted && (total > 100 || !Field<String>("coupon").exists())
/// ```
///
/// Filters are made of fields, whose paths stand in the source, and of values. A value is always compared and never
/// understood: `status == wanted` sends `{status: {$eq: wanted}}`, so that neither the text `$gt` nor the document
/// `{"$gt": ""}` in `wanted` is an operator.
public struct MongoFilter: Sendable, Hashable {
    /// The filter as it is sent.
    public let document: Document

    /// Takes a filter document as it is, operators included.
    ///
    /// For what this type has no words for. A value from outside that ends up as a key, or unwrapped as a whole field's
    /// condition, can change what the filter means.
    ///
    /// - Parameter document: The filter document.
    public init(trusted document: Document) {
        self.document = document
    }

    init(_ path: FieldPath, _ operation: String, _ value: BSONValue) {
        document = Document(path.text, operation, value)
    }

    /// Every document.
    public static let all = MongoFilter(trusted: Document())

    /// No document.
    public static let none = MongoFilter(trusted: ["$nor": [.document(Document())]])

    /// The document with an `_id`.
    ///
    /// - Parameter id: The `_id`.
    /// - Returns: The filter.
    public static func id(_ id: some MongoValue) -> MongoFilter {
        MongoFilter("_id", "$eq", id.bsonValue)
    }

    /// The documents that hold words, by the collection's text index.
    ///
    /// - Parameters:
    ///   - search: The words, in the language of MongoDB's text search: quotes make a phrase, a minus excludes a word.
    ///   - language: The language of the words; the index's without it.
    /// - Returns: The filter.
    public static func text(_ search: String, language: String? = nil) -> MongoFilter {
        var text: Document = ["$search": .string(search)]
        if let language { text.append("$language", .string(language)) }
        return MongoFilter(trusted: ["$text": .document(text)])
    }

    /// The documents for which an expression is true: for comparing fields with each other.
    ///
    /// - Parameter expression: The expression.
    /// - Returns: The filter.
    public static func expression(_ expression: MongoExpression) -> MongoFilter {
        MongoFilter(trusted: ["$expr": expression.value])
    }

    // MARK: Combining

    /// The documents that all filters match.
    ///
    /// - Parameter filters: The filters; none is ``all``.
    /// - Returns: The filter.
    public static func and(_ filters: some Sequence<MongoFilter>) -> MongoFilter {
        let parts = filters.filter { !$0.document.isEmpty }
        if parts.count < 2 { return parts.first ?? .all }
        return MongoFilter(trusted: ["$and": .array(BSONArray(parts.flatMap { $0.parts(of: "$and") }))])
    }

    /// The documents that any filter matches.
    ///
    /// - Parameter filters: The filters; none is ``none``.
    /// - Returns: The filter.
    public static func or(_ filters: some Sequence<MongoFilter>) -> MongoFilter {
        let parts = Array(filters)
        if parts.count < 2 { return parts.first ?? .none }
        return MongoFilter(trusted: ["$or": .array(BSONArray(parts.flatMap { $0.parts(of: "$or") }))])
    }

    /// The documents that both filters match.
    public static func && (left: MongoFilter, right: MongoFilter) -> MongoFilter { and([left, right]) }

    /// The documents that at least one filter matches.
    public static func || (left: MongoFilter, right: MongoFilter) -> MongoFilter { or([left, right]) }

    /// The documents that the filter does not match.
    public static prefix func ! (filter: MongoFilter) -> MongoFilter {
        MongoFilter(trusted: ["$nor": [.document(filter.document)]])
    }

    /// The filter's own parts when it is a combination of that kind and nothing else, so that chains stay flat.
    private func parts(of operation: String) -> [BSONValue] {
        if document.count == 1, let list = document[operation]?.array { return Array(list) }
        return [.document(document)]
    }
}

extension MongoFilter: CustomStringConvertible {
    /// The fields and operators, without the values: a description ends up in logs.
    public var description: String { "MongoFilter(\(Self.shape(of: .document(document))))" }

    static func shape(of value: BSONValue) -> String {
        switch value {
        case .document(let document):
            "{\(document.map { "\($0.key): \(shape(of: $0.value))" }.joined(separator: ", "))}"
        case .array(let array): "[\(array.map(shape).joined(separator: ", "))]"
        default: "?"
        }
    }
}
