#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension EncodingLevel {
    /// The BSON value of a type that is not to encode itself, or `nil` when the type is none of those.
    ///
    /// The casts are right because each stands behind a comparison of the two types.
    func native<Value>(_ value: Value, _ key: (any CodingKey)? = nil) throws -> BSONValue? {
        if Value.self == String.self { return .string(unsafeBitCast(value, to: String.self)) }
        if Value.self == ObjectID.self { return .objectID(unsafeBitCast(value, to: ObjectID.self)) }
        if Value.self == BSONValue.self { return unsafeBitCast(value, to: BSONValue.self) }
        if Value.self == Document.self { return (value as? Document).map(BSONValue.document) }
        if Value.self == BSONArray.self { return (value as? BSONArray).map(BSONValue.array) }
        if Value.self == BSONBinary.self { return (value as? BSONBinary).map(BSONValue.binary) }
        if Value.self == BSONDate.self { return (value as? BSONDate).map(BSONValue.date) }
        if Value.self == BSONTimestamp.self { return (value as? BSONTimestamp).map(BSONValue.timestamp) }
        if Value.self == Decimal128.self { return (value as? Decimal128).map(BSONValue.decimal128) }
        if Value.self == BSONRegularExpression.self {
            return (value as? BSONRegularExpression).map(BSONValue.regularExpression)
        }
        if Value.self == Date.self { return try date(unsafeBitCast(value, to: Date.self), key) }
        if Value.self == UUID.self { return uuid(unsafeBitCast(value, to: UUID.self)) }
        if Value.self == Data.self { return (value as? Data).flatMap(data) }
        if Value.self == URL.self { return (value as? URL).map { .string($0.absoluteString) } }
        if Value.self == Decimal.self { return try (value as? Decimal).map { try decimal($0, key) } }
        return nil
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
