internal import BSON

/// How a query is run, beyond what it finds.
public struct MongoFindOptions: Sendable, Hashable {
    /// Which fields come back; all without it.
    public var projection: MongoProjection?
    /// The index to use, where the server must not choose.
    public var hint: MongoIndexHint?
    /// How texts are compared.
    public var collation: MongoCollation?
    /// How many documents come in one batch, from 1 to 100,000.
    public var batchSize: Int
    /// Whether a sort that needs more memory than the server allows may use its disk.
    public var allowsDiskUse: Bool?
    /// What the server shows for the query, in its log and in `currentOp`.
    public var comment: String?

    /// Creates options.
    ///
    /// - Parameters:
    ///   - projection: Which fields come back.
    ///   - hint: The index to use.
    ///   - collation: How texts are compared.
    ///   - batchSize: How many documents come in one batch.
    ///   - allowsDiskUse: Whether a large sort may use the server's disk.
    ///   - comment: What the server shows for the query.
    public init(
        projection: MongoProjection? = nil, hint: MongoIndexHint? = nil, collation: MongoCollation? = nil,
        batchSize: Int = 1000, allowsDiskUse: Bool? = nil, comment: String? = nil
    ) {
        self.projection = projection
        self.hint = hint
        self.collation = collation
        self.batchSize = batchSize
        self.allowsDiskUse = allowsDiskUse
        self.comment = comment
    }

    var effectiveBatchSize: Int { min(max(batchSize, 1), 100_000) }

    func document(sort: MongoSort?, skip: Int, limit: Int?) -> Document {
        var document: Document = ["batchSize": .int64(Int64(effectiveBatchSize))]
        if skip > 0 { document.append("skip", .int64(Int64(skip))) }
        if let limit { document.append("limit", .int64(Int64(limit))) }
        append(sort: sort, to: &document)
        return document
    }

    /// The command that finds one document, and leaves no cursor on the server.
    func command(finding filter: MongoFilter, in collection: String, sort: MongoSort?) -> Document {
        var command: Document = [
            "find": .string(collection), "filter": .document(filter.document), "limit": 1, "singleBatch": true,
        ]
        append(sort: sort, to: &command)
        return command
    }

    private func append(sort: MongoSort?, to document: inout Document) {
        if let sort, !sort.document.isEmpty { document.append("sort", .document(sort.document)) }
        if let projection { document.append("projection", .document(projection.document)) }
        if let hint { document.append("hint", hint.value) }
        if let collation { document.append("collation", .document(collation.document)) }
        if let allowsDiskUse { document.append("allowDiskUse", .bool(allowsDiskUse)) }
        if let comment { document.append("comment", .string(comment)) }
    }
}

/// The index that a query is told to use.
public enum MongoIndexHint: Sendable, Hashable {
    /// By its name.
    case name(String)
    /// By its keys.
    case keys(MongoSort)

    var value: BSONValue {
        switch self {
        case .name(let name): .string(name)
        case .keys(let keys): .document(keys.document)
        }
    }
}

/// How texts are compared: by a language's rules instead of byte by byte.
///
/// Source: "Collation" in the MongoDB manual.
public struct MongoCollation: Sendable, Hashable {
    /// The language, as ICU names it, such as `en` or `de@collation=phonebook`.
    public var locale: String
    /// What counts as a difference: 1 letters, 2 accents too, 3 case too, 4 and 5 punctuation and code points too.
    public var strength: Int?
    /// Whether digits are compared as numbers.
    public var comparesNumbers: Bool?

    /// Creates a collation.
    ///
    /// - Parameters:
    ///   - locale: The language.
    ///   - strength: What counts as a difference.
    ///   - comparesNumbers: Whether digits are compared as numbers.
    public init(locale: String, strength: Int? = nil, comparesNumbers: Bool? = nil) {
        self.locale = locale
        self.strength = strength
        self.comparesNumbers = comparesNumbers
    }

    /// Letters without regard to case, by rules that suit most languages; accents count.
    public static let caseInsensitive = MongoCollation(locale: "en", strength: 2)

    var document: Document {
        var document: Document = ["locale": .string(locale)]
        if let strength { document.append("strength", .int64(Int64(strength))) }
        if let comparesNumbers { document.append("numericOrdering", .bool(comparesNumbers)) }
        return document
    }
}
