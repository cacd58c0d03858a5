internal import BSON
internal import PersistenceCore
internal import PostgresEngine

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

extension Gateway {
    /// Gives the errors per item of a reply the codes, messages and fields that clients know.
    ///
    /// - Throws: ``CommandError`` when an item failed in a way that concerns a transaction as a whole.
    func translate(_ reply: [UInt8], _ command: Command, documents: [UInt8]?) async throws -> [UInt8] {
        let source = Document(unchecked: reply)
        guard let errors = source["writeErrors"]?.array else { return reply }
        var result = Document()
        for field in source.fields where !field.hasKey("writeErrors") && !field.hasKey("ok") { result.append(field) }
        var translated = BSONArray()
        for value in errors {
            guard var error = value.document else { continue }
            let packed = Int32(truncatingIfNeeded: error["code"]?.int ?? 1)
            let code = EngineErrorCodes.code(inReply: packed, inTransaction: command.isInTransaction)
            if code == 112 {
                // A conflict concerns the command as a whole: nothing of a batch of one was done, and a transaction
                // is over.
                if command.isInTransaction || errors.count == 1 && source["n"]?.int == 0 {
                    throw CommandError(112, error["errmsg"]?.string ?? "WriteConflict")
                }
            }
            error["code"] = .int32(code)
            if code == 11000 {
                let item = command.writeItem(error["index"]?.int ?? 0, in: documents)
                let duplicate = await duplicate(
                    command, index: error["errmsg"]?.string?.quotedIndexName, constraint: nil, item: item)
                error["errmsg"] = .string(duplicate.message)
                error.append(contentsOf: duplicate.details)
            }
            translated.append(.document(error))
        }
        result.append("writeErrors", .array(translated))
        result.append("ok", 1.0)
        return result.byteArray
    }

    /// Gives an error of a whole command what clients expect of it.
    func describe(_ error: any Error, _ command: Command, inTransaction: Bool) async -> CommandError {
        let failure = CommandError(error, inTransaction: inTransaction)
        guard failure.code == 11000 else { return failure }
        var item: Document?
        if command.kind == .findAndModify {
            item = Document([("q", command.body["query"] ?? .null), ("u", command.body["update"] ?? .null)])
        }
        let duplicate = await duplicate(
            command, index: failure.message.quotedIndexName, constraint: failure.constraint, item: item)
        var described = CommandError(11000, duplicate.message, labels: failure.labels)
        described.details = duplicate.details
        return described
    }

    /// The message and fields of a duplicate key, as far as they can be known.
    private func duplicate(
        _ command: Command, index: String?, constraint: String?, item: Document?
    ) async -> (message: String, details: Document) {
        let collection = command.subject?.string ?? ""
        let number = constraint.flatMap { $0.split(separator: "_").last }.flatMap { Int32($0) }
        var found: (name: String, key: Document)?
        if index == "_id_" {
            found = ("_id_", ["_id": .int32(1)])
        } else {
            found = await indexes.index(
                named: index, id: number, of: collection, in: command.database, on: database)
        }
        let name = found?.name ?? index ?? "unknown"
        var message = "E11000 duplicate key error collection: \(command.database).\(collection) index: \(name)"
        var details = Document()
        guard let key = found?.key else { return (message, details) }
        details.append("keyPattern", .document(key))
        if let item, let value = item.keyValue(of: key) {
            details.append("keyValue", .document(value))
            message += " dup key: \(value.shellText)"
        }
        return (message, details)
    }
}

extension Command {
    /// The document or statement that an error's index counts.
    func writeItem(_ index: Int, in sequence: [UInt8]?) -> Document? {
        guard index >= 0 else { return nil }
        if let sequence {
            var position = 0
            var remaining = index
            while let length = sequence.int32(at: position), length >= 5 {
                if remaining == 0 { return Document(unchecked: sequence, at: position) }
                remaining -= 1
                position += Int(length)
            }
            return nil
        }
        let field: String
        switch kind {
        case .insert: field = "documents"
        case .update: field = "updates"
        default: return nil
        }
        return body[field]?.array?.element(at: index)?.document
    }
}

extension Document {
    /// The values that a document, or an update's statement, has for the fields of an index; `nil` when they are not
    /// all known.
    func keyValue(of pattern: Document) -> Document? {
        var result = Document()
        for field in pattern.fields {
            guard let value = value(forKey: field.key) else { return nil }
            result.append(field.key, value)
        }
        return result
    }

    private func value(forKey path: String) -> BSONValue? {
        guard let update = self["u"], self["q"] != nil else { return at(path) ?? .null }
        // What an update writes: a replacement has the field itself, operators set it, and an upsert takes it from the
        // filter.
        guard let change = update.document else { return nil }
        let setters = ["$set", "$setOnInsert"].compactMap { change[$0]?.document }
        if let value = setters.lazy.compactMap({ $0[path] ?? $0.at(path) }).first { return value }
        if change.keys.first?.hasPrefix("$") != true, let value = change.at(path) { return value }
        guard let value = self["q"]?[path] else { return nil }
        if case .document(let document) = value, document.keys.first?.hasPrefix("$") == true { return nil }
        return value
    }

    /// The value at a dotted path.
    private func at(_ path: String) -> BSONValue? {
        var value: BSONValue = .document(self)
        for part in path.split(separator: ".") {
            guard let next = value[String(part)] else { return nil }
            value = next
        }
        return value
    }

    /// The document as a server's messages show it: `{ a: 1, b: "x" }`.
    var shellText: String {
        if isEmpty { return "{}" }
        return "{ " + map { "\($0.key): \($0.value.shellText)" }.joined(separator: ", ") + " }"
    }
}

extension BSONValue {
    fileprivate var shellText: String {
        switch self {
        case .double(let value): "\(value)"
        case .string(let text): "\"\(text)\""
        case .document(let document): document.shellText
        case .array(let array): "[ " + array.map(\.shellText).joined(separator: ", ") + " ]"
        case .objectID(let id): "ObjectId('\(id)')"
        case .bool(let value): "\(value)"
        case .date(let date): "new Date(\(date.millisecondsSince1970))"
        case .null: "null"
        case .int32(let value): "\(value)"
        case .int64(let value): "\(value)"
        case .binary(let binary):
            binary.uuid.map { "UUID(\"\($0.uuidString.lowercased())\")" } ?? "BinData(\(binary.subtype.rawValue))"
        default: "\(type)"
        }
    }
}

extension String {
    /// The name at the end of `… Index 'name'`.
    fileprivate var quotedIndexName: String? {
        guard hasSuffix("'") else { return nil }
        let parts = split(separator: "'")
        guard let name = parts.last, parts.count >= 2 else { return nil }
        return String(name)
    }
}
