import BSON
import PersistenceCore

/// Documents and extended JSON from anywhere: refused, or read the same in every way.
enum DocumentCheck {
    static func runDocument(_ input: UnsafeRawBufferPointer) throws {
        let bytes = Array(input)
        let unchecked = Document(unchecked: bytes)
        try read(unchecked, depth: 0)
        let document: Document
        do {
            document = try Document(validating: bytes)
        } catch {
            return try require([.decoding, .tooLarge].contains(error.code), "a document throws \(error.code)")
        }
        try require(document.byteArray == bytes, "a document has other bytes than it was read from")
        try require(document == unchecked, "checking changes a document")
        try require(Document(document.map { ($0.key, $0.value) }) == document, "values are written otherwise than read")
        try writeAndRead(document)
        if let coded = try? BSONDecoder().decode([String: BSONValue].self, from: document) {
            try require(Set(coded.keys) == Set(document.keys), "decoding changes the keys")
        }
        _ = try? document.validateForStorage()
        var changed = document
        changed["added"] = "value"
        try require(changed["added"] == "value", "a field that was set is not there")
        changed.removeValue(forKey: "added")
        try require(!changed.contains(key: "added"), "a field that was removed is there")
    }

    /// Everything that can be asked of a document that nobody checked.
    private static func read(_ document: Document, depth: Int) throws {
        var count = 0
        for field in document.fields {
            count += 1
            let value = field.value
            try require(value.type == field.type, "a field's value has another type")
            _ = document[field.key]
            if let binary = value.binary { try require(binary.bytes.count == binary.count, "a binary has two lengths") }
            guard depth < 50 else { continue }
            if let inner = value.document { try read(inner, depth: depth + 1) }
            if let inner = value.array { try read(inner.asDocument, depth: depth + 1) }
        }
        try require(count == document.count, "a document has two numbers of fields")
        _ = document.extendedJSON()
    }

    /// A document by way of its text.
    private static func writeAndRead(_ document: Document) throws {
        let text = document.extendedJSON(.canonical)
        _ = document.extendedJSON(.relaxed)
        let again: Document
        do {
            again = try Document(extendedJSON: text, limits: .none)
        } catch {
            return try require(hasDollarKey(document), "a document's extended JSON is not read")
        }
        guard !hasDollarKey(document) else { return }
        try require(again.keys == document.keys, "extended JSON changes the keys")
        try require(again.values.map(\.type) == document.values.map(\.type), "extended JSON changes a type")
        // Options of regular expressions are put in order, and numbers with too many digits made zero; nothing else, and
        // that once.
        guard let once = try? Document(extendedJSON: again.extendedJSON(.canonical), limits: .none) else {
            throw Finding("extended JSON that was read and written is not read")
        }
        try require(once == again, "extended JSON changes on its way")
    }

    /// Whether a key may make its document the text of another value, as `$oid` does.
    private static func hasDollarKey(_ document: Document) -> Bool {
        document.contains { key, value in
            if key.hasPrefix("$") { return true }
            if case .javascriptWithScope(let code) = value { return hasDollarKey(code.scope) }
            return (value.document ?? value.array?.asDocument).map(hasDollarKey) ?? false
        }
    }

    static func runExtendedJSON(_ input: UnsafeRawBufferPointer) throws {
        let value: BSONValue
        do {
            value = try BSONValue(extendedJSON: input.text)
        } catch {
            return try require([.decoding, .tooLarge].contains(error.code), "extended JSON throws \(error.code)")
        }
        let text = value.extendedJSON(.canonical)
        let again: BSONValue
        do {
            again = try BSONValue(extendedJSON: text, limits: .none)
        } catch {
            throw Finding("extended JSON that was written is not read")
        }
        try require(again.extendedJSON(.canonical) == text, "extended JSON changes on its way")
        guard case .document(let document) = value else { return }
        do {
            _ = try Document(validating: document.byteArray)
        } catch {
            throw Finding("a document that was read is not valid")
        }
    }
}
