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
        let isText = index.keys.document.contains { $0.value.string == "text" }
        // The server keeps the keys of a text index in a form of its own.
        if !isText { compare("keys", keys.normalisedNumbers, index.keys.document.normalisedNumbers) }
        compare("unique", isUnique, index.isUnique)
        compare("sparse", isSparse, index.isSparse)
        compare("hidden", isHidden, index.isHidden)
        compare("partial filter", partialFilter?.normalisedNumbers, index.partialFilter?.document.normalisedNumbers)
        compare(
            "expiry", expiresAfter?.components.seconds, index.expiresAfter?.components.seconds)
        compare("collation", document["collation"]?["locale"]?.string, index.collation?.locale)
        return list
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
