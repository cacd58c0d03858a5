import BSON
import Persistence
import PersistenceCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Document {
    /// The payload as BSON; it has been checked.
    init(_ payload: Payload) {
        self.init()
        for (name, value) in payload.fields {
            append(name, BSONValue(value))
        }
    }
}

extension BSONValue {
    init(_ value: PayloadValue) {
        self =
            switch value {
            case .null: .null
            case .bool(let value): .bool(value)
            case .integer(let value): .int64(value)
            case .double(let value): .double(value)
            case .text(let value): .string(value)
            case .date(let value): .date(BSONDate(millisecondsSince1970: value.milliseconds))
            case .bytes(let value): .binary(BSONBinary(bytes: value))
            case .array(let elements): .array(BSONArray(elements.lazy.map { BSONValue($0) }))
            case .object(let payload): .document(Document(payload))
            }
    }

    /// A date, which a number of milliseconds can tell.
    init(millisecondsOf date: Date) {
        self = .date(BSONDate(millisecondsSince1970: date.milliseconds))
    }
}

extension Payload {
    /// The payload of a document; `nil` when it holds a value of a type that payloads do not have.
    init?(_ document: Document) {
        var fields: [String: PayloadValue] = [:]
        for (name, value) in document {
            guard let value = PayloadValue(value) else { return nil }
            fields[name] = value
        }
        self.init(fields)
    }
}

extension PayloadValue {
    init?(_ value: BSONValue) {
        switch value {
        case .null: self = .null
        case .bool(let value): self = .bool(value)
        case .int32(let value): self = .integer(Int64(value))
        case .int64(let value): self = .integer(value)
        case .double(let value): self = .double(value)
        case .string(let value): self = .text(value)
        case .date(let value): self = .date(Date(milliseconds: value.millisecondsSince1970))
        case .binary(let value): self = .bytes(value.bytes)
        case .array(let value):
            var elements: [PayloadValue] = []
            for element in value {
                guard let element = PayloadValue(element) else { return nil }
                elements.append(element)
            }
            self = .array(elements)
        case .document(let document):
            guard let payload = Payload(document) else { return nil }
            self = .object(payload)
        default: return nil
        }
    }
}
