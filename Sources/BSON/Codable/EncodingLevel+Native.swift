#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension EncodingLevel {
    /// Writes a field of a type that is not to encode itself.
    ///
    /// The casts are right because the types were compared.
    ///
    /// - Returns: Whether the options want it so; otherwise the type encodes itself.
    func write<Value>(_ value: Value, _ type: NativeType, _ key: UnsafeBufferPointer<UInt8>) throws -> Bool {
        let writer = state.writer
        switch type {
        case .string: writer.pointee.appendString(0x02, key, unsafeBitCast(value, to: String.self))
        case .objectID: writer.pointee.appendObjectID(key, unsafeBitCast(value, to: ObjectID.self))
        case .date where state.root.hasPlainDates:
            let date = BSONDate(unsafeBitCast(value, to: Date.self))
            writer.pointee.appendInteger(0x09, key, date.millisecondsSince1970)
        case .uuid where state.root.hasBinaryUUIDs:
            withUnsafeBytes(of: unsafeBitCast(value, to: UUID.self).uuid) { bytes in
                writer.pointee.appendBinary(key, .uuid, bytes)
            }
        case .strings:
            writer.pointee.appendArray(key, unsafeBitCast(value, to: [String].self)) { $0.appendString(0x02, $1, $2) }
        case .ints:
            writer.pointee.appendArray(key, unsafeBitCast(value, to: [Int].self)) {
                $0.appendInteger(0x12, $1, Int64($2))
            }
        case .doubles:
            writer.pointee.appendArray(key, unsafeBitCast(value, to: [Double].self)) {
                $0.appendInteger(0x01, $1, $2.bitPattern)
            }
        default:
            guard let native = try native(value, type) else { return false }
            writer.pointee.append(key, native)
        }
        return true
    }

    /// The BSON value of a type that is not to encode itself, or `nil` when the type is none of those.
    func native<Value>(_ value: Value) throws -> BSONValue? {
        guard let type = NativeType.of(Value.self) else { return nil }
        do {
            return try native(value, type)
        } catch let error as OwnEncodingError {
            throw invalid(error.summary)
        }
    }

    private func native<Value>(_ value: Value, _ type: NativeType) throws -> BSONValue? {
        switch type {
        case .string: .string(unsafeBitCast(value, to: String.self))
        case .int: .int64(Int64(unsafeBitCast(value, to: Int.self)))
        case .double: .double(unsafeBitCast(value, to: Double.self))
        case .objectID: .objectID(unsafeBitCast(value, to: ObjectID.self))
        case .date: try date(unsafeBitCast(value, to: Date.self))
        case .uuid: uuid(unsafeBitCast(value, to: UUID.self))
        case .data: data(unsafeBitCast(value, to: Data.self))
        case .url: .string(unsafeBitCast(value, to: URL.self).absoluteString)
        case .decimal: try decimal(unsafeBitCast(value, to: Decimal.self))
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

    private func date(_ date: Date) throws -> BSONValue? {
        switch state.root.options.dates {
        case .date: .date(BSONDate(date))
        case .millisecondsSince1970: .int64(BSONDate(date).millisecondsSince1970)
        case .secondsSince1970: .double(date.timeIntervalSince1970)
        case .iso8601: .string(try iso8601(date))
        case .custom(let encode, _): encode(date)
        case .deferred: nil
        }
    }

    private func iso8601(_ date: Date) throws -> String {
        guard let text = ISO8601.text(BSONDate(date)) else {
            throw OwnEncodingError("the date is before the year 0 or after the year 9999")
        }
        return text
    }

    private func uuid(_ uuid: UUID) -> BSONValue {
        switch state.root.options.uuids {
        case .binary: .binary(BSONBinary(uuid))
        case .string: .string(uuid.uuidString)
        }
    }

    private func data(_ data: Data) -> BSONValue? {
        switch state.root.options.dataValues {
        case .binary: .binary(BSONBinary(data))
        case .base64: .string(data.base64EncodedString())
        case .deferred: nil
        }
    }

    private func decimal(_ decimal: Decimal) throws -> BSONValue {
        guard let number = Decimal128(decimal.description) else {
            throw OwnEncodingError("the number has more than 34 digits")
        }
        return .decimal128(number)
    }

    @inline(__always)
    func int64(_ value: some FixedWidthInteger, _ key: @autoclosure () -> PathKey? = nil) throws -> Int64 {
        guard let exact = Int64(exactly: value) else {
            throw invalid("the integer does not fit into 64 bits with a sign", key())
        }
        return exact
    }
}
