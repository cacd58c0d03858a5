internal import BSON
internal import PersistenceCore

/// An index, as it is declared.
///
/// ```swift
/// let indexes: [MongoIndex] = [
///     MongoIndex(.ascending("email"), isUnique: true),
///     MongoIndex(.ascending("workspace").descending("createdAt")),
///     MongoIndex(.ascending("expiresAt"), expiresAfter: .zero),
/// ]
/// ```
///
/// Source: `createIndexes` in the MongoDB manual.
public struct MongoIndex: Sendable, Hashable {
    /// The fields and their directions or kinds.
    public var keys: MongoSort
    /// The index's name; without one it is made of the keys, as MongoDB's tools do: `email_1`.
    public var name: String
    /// Whether no two documents may have the same keys.
    public var isUnique: Bool
    /// Whether documents without the keys are left out.
    public var isSparse: Bool
    /// Which documents are in the index; all without it.
    public var partialFilter: MongoFilter?
    /// How long after the date in the only key a document is deleted, in whole seconds.
    public var expiresAfter: Duration?
    /// How texts are compared.
    public var collation: MongoCollation?
    /// The language of a text index.
    public var defaultLanguage: String?
    /// How much each field of a text index counts.
    public var weights: [String: Int]
    /// Whether queries leave the index alone while it is kept up to date.
    public var isHidden: Bool

    /// Declares an index.
    ///
    /// - Parameters:
    ///   - keys: The fields and their directions.
    ///   - name: The index's name.
    ///   - isUnique: Whether no two documents may have the same keys.
    ///   - isSparse: Whether documents without the keys are left out.
    ///   - partialFilter: Which documents are in the index.
    ///   - expiresAfter: How long after the date in the only key a document is deleted.
    ///   - collation: How texts are compared.
    public init(
        _ keys: MongoSort, name: String? = nil, isUnique: Bool = false, isSparse: Bool = false,
        partialFilter: MongoFilter? = nil, expiresAfter: Duration? = nil, collation: MongoCollation? = nil
    ) {
        self.keys = keys
        self.name = name ?? Self.defaultName(keys.document)
        self.isUnique = isUnique
        self.isSparse = isSparse
        self.partialFilter = partialFilter
        self.expiresAfter = expiresAfter
        self.collation = collation
        defaultLanguage = nil
        weights = [:]
        isHidden = false
    }

    static func defaultName(_ keys: Document) -> String {
        keys.map { key, value in
            switch value {
            case .string(let kind): "\(key)_\(kind)"
            default: "\(key)_\(value.int ?? 0)"
            }
        }.joined(separator: "_")
    }

    /// The index as `createIndexes` takes it.
    func document() throws(PersistenceError) -> Document {
        func refuse(_ reason: String) -> PersistenceError {
            PersistenceError(.invalidArgument, "an index \(reason)", operation: "createIndexes")
        }
        guard !keys.document.isEmpty else { throw refuse("has no keys") }
        guard !name.isEmpty, !name.utf8.contains(0) else { throw refuse("has no name, or one with a NUL character") }
        var document: Document = ["key": .document(keys.document), "name": .string(name)]
        if isUnique { document.append("unique", true) }
        if isSparse { document.append("sparse", true) }
        if let partialFilter { document.append("partialFilterExpression", .document(partialFilter.document)) }
        if let expiresAfter {
            guard let seconds = expiresAfter.expirySeconds else { throw refuse("expires after a time out of range") }
            document.append("expireAfterSeconds", .int64(seconds))
        }
        if let collation { document.append("collation", .document(collation.document)) }
        if let defaultLanguage { document.append("default_language", .string(defaultLanguage)) }
        if !weights.isEmpty {
            let list = weights.sorted { $0.key < $1.key }.map { ($0.key, BSONValue.int64(Int64($0.value))) }
            document.append("weights", .document(Document(list)))
        }
        if isHidden { document.append("hidden", true) }
        try document.requireWellFormed()
        return document
    }
}

extension Duration {
    /// The time as an expiry of the server's: in whole seconds, rounded up so that nothing expires too early, and at most
    /// 2^31 - 1 of them.
    var expirySeconds: Int64? {
        let (seconds, fraction) = components
        let whole = seconds + (fraction > 0 && seconds < .max ? 1 : 0)
        return self >= .zero && whole <= Int64(Int32.max) ? whole : nil
    }
}

extension MongoSort {
    /// A text index over a field.
    ///
    /// - Parameter path: The field.
    /// - Returns: The keys.
    public static func text(_ path: FieldPath) -> MongoSort { MongoSort().text(path) }

    /// A text index over one more field.
    ///
    /// - Parameter path: The field.
    /// - Returns: The longer keys.
    public func text(_ path: FieldPath) -> MongoSort { adding(path, .string("text")) }

    /// A hashed index of a field: for equality alone, and for sharding.
    ///
    /// - Parameter path: The field.
    /// - Returns: The keys.
    public static func hashed(_ path: FieldPath) -> MongoSort { MongoSort().adding(path, .string("hashed")) }

    /// An index of positions on the earth.
    ///
    /// - Parameter path: The field.
    /// - Returns: The keys.
    public static func geographic(_ path: FieldPath) -> MongoSort { MongoSort().adding(path, .string("2dsphere")) }
}
