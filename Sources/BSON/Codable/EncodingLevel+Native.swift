#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension EncodingLevel {
    /// The BSON value of a type that is not to encode itself, or `nil` when the type is none of those.
    ///
    /// The casts are right because the types were compared.
    @inline(__always)
    func native<Value>(_ value: Value, _ key: (any CodingKey)? = nil) throws -> BSONValue? {
        guard let type = NativeType.of(Value.self) else { return nil }
        return try native(value, type, key)
    }

    private func native<Value>(_ value: Value, _ type: NativeType, _ key: (any CodingKey)?) throws -> BSONValue? {
        switch type {
        case .string: .string(unsafeBitCast(value, to: String.self))
        case .int: .int64(Int64(unsafeBitCast(value, to: Int.self)))
        case .double: .double(unsafeBitCast(value, to: Double.self))
        case .objectID: .objectID(unsafeBitCast(value, to: ObjectID.self))
        case .date: try date(unsafeBitCast(value, to: Date.self), key)
        case .uuid: uuid(unsafeBitCast(value, to: UUID.self))
        case .data: data(unsafeBitCast(value, to: Data.self))
        case .url: .string(unsafeBitCast(value, to: URL.self).absoluteString)
        case .decimal: try decimal(unsafeBitCast(value, to: Decimal.self), key)
        case .strings: unsafeBitCast(value, to: [String].self).bsonValue
        case .ints: unsafeBitCast(value, to: [Int].self).bsonValue
        case .doubles: unsafeBitCast(value, to: [Double].self).bsonValue
        case .value: unsafeBitCast(value, to: BSONValue.self)
        case .document: .document(unsafeBitCast(value, to: Document.self))
        case .array: .array(unsafeBitCast(value, to: BSONArray.self))
        case .binary: .binary(unsafeBitCast(value, to: BSONBinary.self))
        case .bsonDate: .date(unsafeBitCast(value, to: BSONDate.self))
        case .timestamp: .timestamp(unsafeBitCast(value, to: BSONTimestamp.self))
        case .decimal128: .decimal128(unsafeBitCast(value, to: Decimal128.self))
        case .regularExpression: .regularExpression(unsafeBitCast(value, to: BSONRegularExpression.self))
        }
    }

    private func date(_ date: Date, _ key: (any CodingKey)?) throws -> BSONValue? {
        switch state.options.dates {
        case .date: .date(BSONDate(date))
        case .millisecondsSince1970: .int64(BSONDate(date).millisecondsSince1970)
        case .secondsSince1970: .double(date.timeIntervalSince1970)
        case .iso8601: .string(try iso8601(date, key))
        case .custom(let encode, _): encode(date)
        case .deferred: nil
        }
    }

    private func iso8601(_ date: Date, _ key: (any CodingKey)?) throws -> String {
        guard let text = ISO8601.text(BSONDate(date)) else {
            throw invalid("the date is before the year 0 or after the year 9999", key)
        }
        return text
    }

    private func uuid(_ uuid: UUID) -> BSONValue {
        switch state.options.uuids {
        case .binary: .binary(BSONBinary(uuid))
        case .string: .string(uuid.uuidString)
        }
    }

    private func data(_ data: Data) -> BSONValue? {
        switch state.options.dataValues {
        case .binary: .binary(BSONBinary(data))
        case .base64: .string(data.base64EncodedString())
        case .deferred: nil
        }
    }

    private func decimal(_ decimal: Decimal, _ key: (any CodingKey)?) throws -> BSONValue {
        guard let number = Decimal128(decimal.description) else {
            throw invalid("the number has more than 34 digits", key)
        }
        return .decimal128(number)
    }

    @inline(__always)
    func int64(_ value: some FixedWidthInteger, _ key: (any CodingKey)? = nil) throws -> Int64 {
        guard let exact = Int64(exactly: value) else {
            throw invalid("the integer does not fit into 64 bits with a sign", key)
        }
        return exact
    }
}
