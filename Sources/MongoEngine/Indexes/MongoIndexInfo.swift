public import BSON

/// An index that a collection has.
public struct MongoIndexInfo: Sendable, Hashable {
    /// The index's name.
    public let name: String
    /// The fields and their directions or kinds.
    public let keys: Document
    /// Whether no two documents may have the same keys.
    public let isUnique: Bool
    /// Whether documents without the keys are left out.
    public let isSparse: Bool
    /// Which documents are in the index, when not all are.
    public let partialFilter: Document?
    /// How long after the date in its key a document is deleted.
    public let expiresAfter: Duration?
    /// Whether queries leave the index alone.
    public let isHidden: Bool
    /// All that the server says about the index.
    public let document: Document

    init(_ document: Document) {
        self.document = document
        name = document["name"]?.string ?? ""
        keys = document["key"]?.document ?? Document()
        isUnique = document["unique"]?.isTrue ?? false
        isSparse = document["sparse"]?.isTrue ?? false
        partialFilter = document["partialFilterExpression"]?.document
        expiresAfter = document["expireAfterSeconds"]?.int.map { .seconds($0) }
        isHidden = document["hidden"]?.isTrue ?? false
    }

    /// How the index differs from one that was declared; empty when it does not.
    func differences(from index: MongoIndex) -> [String] {
        var list: [String] = []
        func compare<Value: Equatable>(_ what: String, _ own: Value, _ declared: Value) {
            if own != declared { list.append(what) }
        }
        compare("keys", plainKeys, index.plainKeys)
        compare("text", textFields, index.textFields)
        compare("unique", isUnique, index.isUnique)
        compare("sparse", isSparse, index.isSparse)
        compare("hidden", isHidden, index.isHidden)
        compare("partial filter", partialFilter?.normalisedNumbers, index.partialFilter?.document.normalisedNumbers)
        compare("expiry", expiresAfter?.components.seconds, index.expiresAfter?.expirySeconds)
        compare("collation", collation, index.collation?.complete)
        if !textFields.isEmpty {
            compare("language", document["default_language"]?.string ?? "english", index.defaultLanguage ?? "english")
        }
        return list
    }

    /// The keys but for those of texts, which the server keeps in a form of its own.
    private var plainKeys: Document {
        keys.normalisedNumbers.filteringKeys { key, value in
            key != "_fts" && key != "_ftsx" && value.string != "text"
        }
    }

    /// The fields whose texts can be searched, with their weights.
    private var textFields: [String: Double] {
        guard let weights = document["weights"]?.document else { return keys.textFields }
        return Dictionary(weights.map { ($0.key, $0.value.double ?? 1) }) { first, _ in first }
    }

    private var collation: MongoCollation? {
        guard let document = document["collation"]?.document, let locale = document["locale"]?.string
        else { return nil }
        return MongoCollation(
            locale: locale, strength: document["strength"]?.int,
            comparesNumbers: document["numericOrdering"]?.isTrue
        ).complete
    }
}

extension MongoIndex {
    fileprivate var plainKeys: Document {
        keys.document.normalisedNumbers.filteringKeys { _, value in value.string != "text" }
    }

    fileprivate var textFields: [String: Double] {
        var fields = keys.document.textFields
        // A field that has a weight and is no key is one.
        if !fields.isEmpty { fields.merge(weights.mapValues(Double.init)) { _, weight in weight } }
        return fields
    }
}

extension MongoCollation {
    /// With what the server takes for what is not said.
    fileprivate var complete: MongoCollation {
        MongoCollation(locale: locale, strength: strength ?? 3, comparesNumbers: comparesNumbers ?? false)
    }
}

extension Document {
    fileprivate var textFields: [String: Double] {
        Dictionary(filter { $0.value.string == "text" && $0.key != "_fts" }.map { ($0.key, 1) }) { first, _ in first }
    }

    fileprivate func filteringKeys(_ isKept: (String, BSONValue) -> Bool) -> Document {
        Document(filter { isKept($0.key, $0.value) }.map { ($0.key, $0.value) })
    }
}

extension BSONValue {
    /// Whether the value is true, or a number other than 0, as servers answer in both ways.
    var isTrue: Bool {
        if let bool { return bool }
        return double.map { $0 != 0 } ?? false
    }
}

extension Document {
    /// The document with all numbers as doubles, because servers give them back in another type than they got them.
    var normalisedNumbers: Document {
        Document(
            map { key, value in
                switch value {
                case .document(let document): (key, .document(document.normalisedNumbers))
                case .array(let array): (key, .document(array.asDocument.normalisedNumbers))
                default: (key, value.double.map { .double($0) } ?? value)
                }
            })
    }
}

/// How a collection's indexes compare with those that were declared.
public struct MongoIndexComparison: Sendable, Hashable {
    /// An index whose declaration and reality differ.
    public struct Difference: Sendable, Hashable {
        /// The index's name.
        public let name: String
        /// What differs, such as `keys`, `unique` or `expiry`.
        public let properties: [String]
    }

    /// Declared, and not there.
    public var missing: [MongoIndex] = []
    /// There, and not declared; the index of `_id` is never listed.
    public var extra: [MongoIndexInfo] = []
    /// There under the declared name, with other properties.
    public var different: [Difference] = []

    /// Whether the collection has the declared indexes and no others.
    public var isMatch: Bool { missing.isEmpty && extra.isEmpty && different.isEmpty }

    init(declared: [MongoIndex], existing: [MongoIndexInfo]) {
        var rest = existing.filter { $0.name != "_id_" }
        for index in declared {
            guard let place = rest.firstIndex(where: { $0.name == index.name }) else {
                missing.append(index)
                continue
            }
            let properties = rest.remove(at: place).differences(from: index)
            if !properties.isEmpty { different.append(Difference(name: index.name, properties: properties)) }
        }
        extra = rest
    }
}
