#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension DecodingLevel {
    func url(_ field: RawElement, index: Int?) throws -> URL {
        guard let url = URL(string: try string(field, index: index)) else {
            throw corrupted("the string is not a URL", field, index: index)
        }
        return url
    }

    func date(_ field: RawElement, index: Int?) throws -> Date {
        if root.hasPlainDates { return try bsonDate(field, index: index).date }
        switch root.options.dates {
        case .date: return try bsonDate(field, index: index).date
        case .millisecondsSince1970:
            return BSONDate(millisecondsSince1970: try integer(field, Int64.self, index: index)).date
        case .secondsSince1970:
            return Date(timeIntervalSince1970: try double(field, index: index))
        case .iso8601:
            guard let date = ISO8601.date(try string(field, index: index))?.date else {
                throw corrupted("the string is not a date in ISO 8601", field, index: index)
            }
            return date
        case .custom(_, let decode):
            guard let date = decode(bsonValue(field)) else {
                throw corrupted("the value is not a date", field, index: index)
            }
            return date
        case .deferred:
            // Not reached: see `isDeferred`.
            return try Date(from: DecodingLevel(field, parent: self, pathIndex: index))
        }
    }

    private func bsonDate(_ field: RawElement, index: Int?) throws -> BSONDate {
        guard field.type == 0x09 else { throw mismatch(Date.self, field, index: index) }
        return BSONDate(millisecondsSince1970: bytes.withUnsafeBytes { $0.int64(at: field.valueStart) })
    }

    func uuid(_ field: RawElement, index: Int?) throws -> UUID {
        switch root.options.uuids {
        case .binary:
            guard field.type == 0x05 else { throw mismatch(UUID.self, field, index: index) }
            guard field.valueEnd - field.valueStart == 21 else {
                throw corrupted("a UUID has 16 bytes", field, index: index)
            }
            return try bytes.withUnsafeBytes { buffer in
                guard buffer[field.valueStart + 4] == 4 else {
                    // Subtype 3 has the bytes in an order that only the driver that wrote them knows.
                    throw corrupted("the binary's subtype is not that of a UUID", field, index: index)
                }
                return UUID(uuid: buffer.loadUnaligned(fromByteOffset: field.valueStart + 5, as: uuid_t.self))
            }
        case .string:
            guard let uuid = UUID(uuidString: try string(field, index: index)) else {
                throw corrupted("the string is not a UUID", field, index: index)
            }
            return uuid
        }
    }

    func data(_ field: RawElement, index: Int?) throws -> Data {
        switch root.options.dataValues {
        case .binary:
            guard case .binary(let binary) = bsonValue(field) else { throw mismatch(Data.self, field, index: index) }
            return binary.data
        case .base64:
            guard let data = Data(base64Encoded: try string(field, index: index)) else {
                throw corrupted("the string is not Base64", field, index: index)
            }
            return data
        case .deferred:
            // Not reached: see `isDeferred`.
            return try Data(from: DecodingLevel(field, parent: self, pathIndex: index))
        }
    }

    func decimal(_ field: RawElement, index: Int?) throws -> Decimal {
        guard case .decimal128(let number) = bsonValue(field) else {
            if field.type == 0x10 || field.type == 0x12 {
                return Decimal(try integer(field, Int64.self, index: index))
            }
            throw mismatch(Decimal.self, field, index: index)
        }
        if number.isNaN { return Decimal.nan }
        // Exponents beyond those of `Decimal`, and infinity.
        guard let decimal = Decimal(string: number.description), !number.isInfinite else {
            throw corrupted("the number does not fit into Decimal", field, index: index)
        }
        return decimal
    }
}
