#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The types that the coders handle themselves instead of letting them code themselves.
///
/// A type is looked up once for each value, by comparing addresses and outside of generic code: there, the runtime would
/// look up the metadata of every generic type that is mentioned, which takes longer than decoding.
enum NativeType {
    case string, int, double, objectID, date, uuid, data, url, decimal
    case strings, ints, doubles
    case value, document, array, binary, bsonDate, timestamp, decimal128, regularExpression

    @inline(__always)
    static func of(_ type: any Any.Type) -> NativeType? {
        let type = ObjectIdentifier(type)
        if type == ObjectIdentifier(String.self) { return .string }
        if type == ObjectIdentifier(ObjectID.self) { return .objectID }
        if type == ObjectIdentifier(Date.self) { return .date }
        if type == ObjectIdentifier(UUID.self) { return .uuid }
        return other(type)
    }

    @inline(never)
    private static func other(_ type: ObjectIdentifier) -> NativeType? {
        if type == ObjectIdentifier([String].self) { return .strings }
        if type == ObjectIdentifier(Int.self) { return .int }
        if type == ObjectIdentifier(Double.self) { return .double }
        if type == ObjectIdentifier(BSONValue.self) { return .value }
        if type == ObjectIdentifier(Document.self) { return .document }
        if type == ObjectIdentifier(BSONArray.self) { return .array }
        if type == ObjectIdentifier(BSONBinary.self) { return .binary }
        if type == ObjectIdentifier(BSONDate.self) { return .bsonDate }
        if type == ObjectIdentifier(BSONTimestamp.self) { return .timestamp }
        if type == ObjectIdentifier(Decimal128.self) { return .decimal128 }
        if type == ObjectIdentifier(BSONRegularExpression.self) { return .regularExpression }
        if type == ObjectIdentifier(Data.self) { return .data }
        if type == ObjectIdentifier(URL.self) { return .url }
        if type == ObjectIdentifier(Decimal.self) { return .decimal }
        if type == ObjectIdentifier([Int].self) { return .ints }
        if type == ObjectIdentifier([Double].self) { return .doubles }
        return nil
    }
}
