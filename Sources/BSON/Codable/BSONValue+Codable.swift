extension BSONValue: Codable {
    /// Takes the value as it is from ``BSONDecoder``; reads extended JSON's objects from any other decoder.
    public init(from decoder: any Decoder) throws {
        if let level = decoder as? DecodingLevel {
            self = level.bsonValue(level.element)
            return
        }
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let bool = try? container.decode(Bool.self) {
            self = .bool(bool)
        } else if let integer = try? container.decode(Int32.self) {
            self = .int32(integer)
        } else if let integer = try? container.decode(Int64.self) {
            self = .int64(integer)
        } else if let double = try? container.decode(Double.self) {
            self = .double(double)
        } else if let string = try? container.decode(String.self) {
            self = .string(string)
        } else {
            self = try Self(containedIn: decoder)
        }
    }

    private init(containedIn decoder: any Decoder) throws {
        if var elements = try? decoder.unkeyedContainer() {
            var array = BSONArray()
            while !elements.isAtEnd { array.append(try elements.decode(BSONValue.self)) }
            self = .array(array)
            return
        }
        let fields = try decoder.container(keyedBy: PathKey.self)
        var document = Document()
        for key in fields.allKeys { document.append(key.stringValue, try fields.decode(BSONValue.self, forKey: key)) }
        do {
            self = try ExtendedJSON.value(of: document) ?? .document(document)
        } catch {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: error.summary))
        }
    }

    /// Gives the value as it is to ``BSONEncoder``; gives relaxed extended JSON to any other encoder.
    public func encode(to encoder: any Encoder) throws {
        if let level = encoder as? EncodingLevel { return try level.writeSingle(self) }
        try Foreign(value: self, isWrapper: false).encode(to: encoder)
    }
}

/// A value on its way to an encoder of somebody else.
private struct Foreign: Encodable {
    let value: BSONValue
    /// Whether the value is part of an object that stands for a value.
    let isWrapper: Bool

    func encode(to encoder: any Encoder) throws {
        if !isWrapper, let wrapper = ExtendedJSON.wrapper(for: value, .relaxed) {
            return try encode(wrapper, isWrapper: true, to: encoder)
        }
        switch value {
        case .document(let document): try encode(document, isWrapper: isWrapper, to: encoder)
        case .array(let array):
            var elements = encoder.unkeyedContainer()
            for element in array { try elements.encode(Foreign(value: element, isWrapper: isWrapper)) }
        default:
            var container = encoder.singleValueContainer()
            switch value {
            case .string(let string): try container.encode(string)
            case .bool(let bool): try container.encode(bool)
            case .int32(let number): try container.encode(number)
            case .int64(let number): try container.encode(number)
            case .double(let number): try container.encode(number)
            default: try container.encodeNil()
            }
        }
    }

    private func encode(_ document: Document, isWrapper: Bool, to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: PathKey.self)
        for (key, value) in document {
            let isInWrapper = isWrapper && key != ExtendedJSON.scopeKey
            try fields.encode(Foreign(value: value, isWrapper: isInWrapper), forKey: PathKey(stringValue: key))
        }
    }
}

/// The types of this module that are coded as the value they are.
public protocol BSONCodable: BSONRepresentable, Codable {}

extension BSONCodable {
    /// Takes the value as it is from ``BSONDecoder``; reads extended JSON's objects from any other decoder.
    public init(from decoder: any Decoder) throws {
        let value = try BSONValue(from: decoder)
        guard let representation = Self(bsonValue: value) else {
            throw DecodingError.typeMismatch(
                Self.self,
                .init(
                    codingPath: decoder.codingPath, debugDescription: "expected \(Self.self), found \(value.type)",
                    underlyingError: FoundType(type: value.type)))
        }
        self = representation
    }

    /// Gives the value as it is to ``BSONEncoder``; gives relaxed extended JSON to any other encoder.
    public func encode(to encoder: any Encoder) throws {
        try bsonValue.encode(to: encoder)
    }
}

extension Document: BSONCodable {}
extension BSONArray: BSONCodable {}
extension ObjectID: BSONCodable {}
extension Decimal128: BSONCodable {}
extension BSONBinary: BSONCodable {}
extension BSONDate: BSONCodable {}
extension BSONTimestamp: BSONCodable {}
extension BSONRegularExpression: BSONCodable {}
