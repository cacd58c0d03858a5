public import PersistenceCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Payload {
    /// Reads a JSON object (RFC 8259).
    ///
    /// Numbers without a fraction that fit 64 bits become whole numbers, all others floating point.
    ///
    /// - Parameter json: The object in UTF-8.
    /// - Throws: `PersistenceError` with the code `invalidData` when the bytes are not one JSON object. The error does not
    ///   quote them.
    public init(json: some Sequence<UInt8>) throws(PersistenceError) {
        do {
            self = try JSONDecoder().decode(Payload.self, from: Data(json))
        } catch {
            throw PersistenceError(.invalidData, "the text is not one JSON object", operation: "Payload")
        }
    }

    /// Writes the payload as a JSON object, with its fields in the order of their names.
    ///
    /// Dates become texts by ISO 8601, bytes texts in Base64: whoever reads them back gets texts.
    ///
    /// - Returns: The object in UTF-8.
    /// - Throws: `PersistenceError` as ``check(operation:)``.
    public func json() throws(PersistenceError) -> [UInt8] {
        try check(operation: "Payload")
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        encoder.dataEncodingStrategy = .base64
        do {
            return Array(try encoder.encode(self))
        } catch {
            throw PersistenceError(.encoding, "the payload cannot be written as JSON", operation: "Payload")
        }
    }
}

extension Payload: Codable {
    /// Reads an object.
    public init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode([String: PayloadValue].self))
    }

    /// Writes an object.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(fields)
    }
}

extension PayloadValue: Codable {
    /// Reads a value, whichever kind it is.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let number = try? container.decode(Int64.self) {
            self = .integer(number)
        } else if let number = try? container.decode(Double.self) {
            self = .double(number)
        } else if let flag = try? container.decode(Bool.self) {
            self = .bool(flag)
        } else if let fields = try? container.decode([String: PayloadValue].self) {
            self = .object(Payload(fields))
        } else {
            self = .array(try container.decode([PayloadValue].self))
        }
    }

    /// Writes the value; dates and bytes as the encoder's strategies say.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .double(let value): try container.encode(value)
        case .text(let value): try container.encode(value)
        case .date(let value): try container.encode(value)
        case .bytes(let value): try container.encode(Data(value))
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }
}
