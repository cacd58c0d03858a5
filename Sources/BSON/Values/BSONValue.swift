/// A value of any BSON type.
///
/// The cases are those of BSON specification 1.1 (bsonspec.org). Literals make strings, 64-bit integers, doubles,
/// booleans, null, arrays and documents.
///
/// Values are equal when they have the same type and content; `1` as `int32` is not equal to `1` as `int64`. Ask
/// ``int`` and its kin for a number whatever its type. Doubles are compared as Swift compares them: NaN is not equal to
/// itself, and zero is equal to minus zero. Documents are compared by their bytes.
@nonexhaustive
public enum BSONValue: Sendable, Hashable {
    /// A 64-bit binary floating-point number.
    case double(Double)
    /// A text. May contain NUL.
    case string(String)
    /// A document within the document.
    case document(Document)
    /// An array.
    case array(BSONArray)
    /// Bytes with a subtype: UUIDs, vectors, encrypted values or just bytes.
    case binary(BSONBinary)
    /// JavaScript's `undefined`. Deprecated by the specification; kept when read.
    case undefined
    /// An object identifier.
    case objectID(ObjectID)
    /// `true` or `false`.
    case bool(Bool)
    /// A point in time, in milliseconds.
    case date(BSONDate)
    /// The null value.
    case null
    /// A regular expression.
    indirect case regularExpression(BSONRegularExpression)
    /// A reference to a document of another collection. Deprecated by the specification; kept when read.
    indirect case dbPointer(BSONDBPointer)
    /// JavaScript source.
    case javascript(String)
    /// A symbol. Deprecated by the specification; kept when read.
    case symbol(String)
    /// JavaScript source with the values of its variables. Deprecated by the specification; kept when read.
    indirect case javascriptWithScope(BSONJavaScriptWithScope)
    /// A 32-bit integer.
    case int32(Int32)
    /// MongoDB's internal timestamp; for points in time use ``date(_:)``.
    case timestamp(BSONTimestamp)
    /// A 64-bit integer.
    case int64(Int64)
    /// A decimal number of 34 digits.
    case decimal128(Decimal128)
    /// What sorts before every other value.
    case minKey
    /// What sorts after every other value.
    case maxKey
}

extension BSONValue {
    /// The value's type.
    public var type: BSONType {
        switch self {
        case .double: .double
        case .string: .string
        case .document: .document
        case .array: .array
        case .binary: .binary
        case .undefined: .undefined
        case .objectID: .objectID
        case .bool: .bool
        case .date: .date
        case .null: .null
        case .regularExpression: .regularExpression
        case .dbPointer: .dbPointer
        case .javascript: .javascript
        case .symbol: .symbol
        case .javascriptWithScope: .javascriptWithScope
        case .int32: .int32
        case .timestamp: .timestamp
        case .int64: .int64
        case .decimal128: .decimal128
        case .minKey: .minKey
        case .maxKey: .maxKey
        }
    }
}

extension BSONValue {
    /// Decodes the value of an element that has been found in `buffer`, which are the bytes of `bytes`.
    @inline(__always)
    init(reading element: RawElement, in buffer: UnsafeRawBufferPointer, of bytes: [UInt8]) {
        let start = element.valueStart
        switch element.type {
        case 0x01: self = .double(buffer.double(at: start))
        case 0x02: self = .string(buffer.text(from: start + 4, to: element.valueEnd - 1))
        case 0x03: self = .document(Document(sharing: bytes, start: start, count: element.valueEnd - start))
        case 0x04:
            let document = Document(sharing: bytes, start: start, count: element.valueEnd - start)
            self = .array(BSONArray(storage: document))
        case 0x07: self = .objectID(ObjectID(buffer, at: start))
        case 0x08: self = .bool(buffer[start] != 0)
        case 0x09: self = .date(BSONDate(millisecondsSince1970: buffer.int64(at: start)))
        case 0x0A: self = .null
        case 0x10: self = .int32(buffer.int32(at: start))
        case 0x12: self = .int64(buffer.int64(at: start))
        default: self = BSONValue(readingRare: element, in: buffer, of: bytes)
        }
    }

    private init(readingRare element: RawElement, in buffer: UnsafeRawBufferPointer, of bytes: [UInt8]) {
        let start = element.valueStart
        let end = element.valueEnd
        switch element.type {
        case 0x05: self = .binary(BSONBinary(sharing: bytes, at: start, in: buffer))
        case 0x0B:
            let options = (buffer.offsetOfNUL(from: start, to: end) ?? end - 1) + 1
            self = .regularExpression(
                BSONRegularExpression(
                    pattern: buffer.text(from: start, to: options - 1),
                    storedOptions: buffer.text(from: options, to: end - 1)))
        case 0x0C:
            self = .dbPointer(
                BSONDBPointer(
                    namespace: buffer.text(from: start + 4, to: end - 13), id: ObjectID(buffer, at: end - 12)))
        case 0x0D: self = .javascript(buffer.text(from: start + 4, to: end - 1))
        case 0x0E: self = .symbol(buffer.text(from: start + 4, to: end - 1))
        case 0x0F:
            let scope = start + 8 + Int(buffer.int32(at: start + 4))
            self = .javascriptWithScope(
                BSONJavaScriptWithScope(
                    code: buffer.text(from: start + 8, to: scope - 1),
                    scope: Document(sharing: bytes, start: scope, count: end - scope)))
        case 0x11: self = .timestamp(BSONTimestamp(rawValue: buffer.uint64(at: start)))
        case 0x13:
            self = .decimal128(Decimal128(high: buffer.uint64(at: start + 8), low: buffer.uint64(at: start)))
        case 0x7F: self = .maxKey
        case 0xFF: self = .minKey
        default:
            // `RawElement` finds no other types, but for this one.
            self = .undefined
        }
    }
}
