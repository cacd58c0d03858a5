internal import BSON
internal import PersistenceCore

/// How an update is done.
public struct MongoUpdateOptions: Sendable, Hashable {
    /// Whether a document is inserted when none matches.
    public var upserts: Bool
    /// Which elements of arrays the update's paths `$[name]` stand for: filters on fields of that name.
    public var arrayFilters: [MongoFilter]
    /// The index to use, where the server must not choose.
    public var hint: MongoIndexHint?
    /// How texts are compared.
    public var collation: MongoCollation?

    /// Creates options.
    ///
    /// - Parameters:
    ///   - upserts: Whether a document is inserted when none matches.
    ///   - arrayFilters: Which elements of arrays are changed.
    ///   - hint: The index to use.
    ///   - collation: How texts are compared.
    public init(
        upserts: Bool = false, arrayFilters: [MongoFilter] = [], hint: MongoIndexHint? = nil,
        collation: MongoCollation? = nil
    ) {
        self.upserts = upserts
        self.arrayFilters = arrayFilters
        self.hint = hint
        self.collation = collation
    }

    /// A document is inserted when none matches.
    public static let upsert = MongoUpdateOptions(upserts: true)

    func document() throws(PersistenceError) -> Document {
        if !upserts, arrayFilters.isEmpty, hint == nil, collation == nil { return InsertOptions.unchecked }
        var document = InsertOptions.unchecked
        if upserts { document.append("upsert", true) }
        if !arrayFilters.isEmpty {
            document.append("arrayFilters", .array(BSONArray(arrayFilters.map { .document($0.document) })))
        }
        if let hint { document.append("hint", hint.value) }
        if let collation { document.append("collation", .document(collation.document)) }
        try document.requireWellFormed()
        return document
    }
}
