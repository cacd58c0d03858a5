import BSON
import Persistence
import PersistenceCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The kinds of documents that a job's collection holds, each with a part of the identifiers for itself.
enum StoredKind: String, Sendable, CaseIterable {
    case activity
    case execution
    case event

    /// The `_id` of a document: the kind, so that two kinds may have one UUID, and the UUID in lower case, which sorts as
    /// its bytes do.
    func key(_ id: some EntityIdentifier) -> String { "\(rawValue)/\(id)" }

    func keyValue(_ id: some EntityIdentifier) -> BSONValue { .string(key(id)) }
}

/// Reads the fields of a document, and says which one is not as it should be, without its value.
struct StoredFields {
    let document: Document
    let collection: String

    func value(_ name: String) throws(PersistenceError) -> BSONValue {
        guard let value = document[name] else { throw fault(name, "is missing") }
        return value
    }

    func text(_ name: String) throws(PersistenceError) -> String {
        guard let text = try value(name).string else { throw fault(name, "is not a string") }
        return text
    }

    func optionalText(_ name: String) throws(PersistenceError) -> String? {
        document[name] == nil ? nil : try text(name)
    }

    func integer(_ name: String) throws(PersistenceError) -> Int64 {
        guard let number = try value(name).int else { throw fault(name, "is not a whole number") }
        return Int64(number)
    }

    func date(_ name: String) throws(PersistenceError) -> Date {
        guard case .date(let date) = try value(name) else { throw fault(name, "is not a date") }
        return Date(milliseconds: date.millisecondsSince1970)
    }

    func optionalDate(_ name: String) throws(PersistenceError) -> Date? {
        document[name] == nil ? nil : try date(name)
    }

    func payload() throws(PersistenceError) -> Payload {
        guard let document = try value("payload").document else { throw fault("payload", "is not a document") }
        guard let payload = Payload(document) else {
            throw fault("payload", "has a value of a type that payloads do not have")
        }
        return payload
    }

    func failure() throws(PersistenceError) -> ExecutionFailure? {
        guard let value = document["failure"] else { return nil }
        guard let code = value["code"]?.string, let message = value["message"]?.string else {
            throw fault("failure", "has no code and message")
        }
        return ExecutionFailure(stored: Label(stored: code), message: message)
    }

    func identifier<ID: EntityIdentifier>(_ kind: StoredKind) throws(PersistenceError) -> ID {
        let key = try text("_id")
        guard key.hasPrefix(kind.rawValue + "/"), let id = ID(String(key.dropFirst(kind.rawValue.count + 1))) else {
            throw fault("_id", "does not name one \(kind.rawValue)")
        }
        return id
    }

    func fault(_ field: String, _ reason: String) -> PersistenceError {
        PersistenceError(.decoding, "the field \(field) \(reason)").with {
            $0.collection = collection
            $0.column = field
        }
    }
}

extension Document {
    /// Appends a date, unless there is none.
    mutating func append(_ name: String, _ date: Date?) {
        if let date { append(name, BSONValue(millisecondsOf: date)) }
    }

    /// Appends a text, unless there is none.
    mutating func append(_ name: String, _ text: String?) {
        if let text { append(name, .string(text)) }
    }

    /// Appends a failure, unless there is none.
    mutating func append(_ name: String, _ failure: ExecutionFailure?) {
        guard let failure else { return }
        append(name, .document(["code": .string(failure.code.text), "message": .string(failure.message)]))
    }

    /// Appends when something ended and how long it took, which reports look at.
    mutating func appendEnd(_ endedAt: Date?, _ duration: Duration?) {
        append("endedAt", endedAt)
        if endedAt != nil, let duration { append("durationMs", .int64(duration.milliseconds)) }
    }

    /// The number that grows with every write of a document: whoever replaces one names the number that was read.
    var revision: Int64 { Int64(self["rev"]?.int ?? 0) }
}

extension Duration {
    /// In milliseconds; durations of documents come from dates of that precision.
    var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }
}
