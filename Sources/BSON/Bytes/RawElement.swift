/// Where an element of a document stands, as offsets into the bytes that hold the document.
///
/// Every way to read goes through ``init(in:at:end:)``, which checks all lengths against the end of the document. That
/// is why bytes that nobody validated can be read: what does not fit is not there.
struct RawElement {
    /// The key's length, and the type in the lowest byte: together with the value's place this is as much as functions
    /// return in registers.
    private let header: Int
    /// The value without type and key.
    let valueStart: Int
    let valueEnd: Int

    /// The value's type.
    @inline(__always)
    var type: UInt8 { UInt8(truncatingIfNeeded: header) }

    /// Where the key begins.
    @inline(__always)
    var keyStart: Int { keyEnd &- header >> 8 }

    /// Where the key's NUL is.
    @inline(__always)
    var keyEnd: Int { valueStart &- 1 }

    /// An element that has been found by other means.
    ///
    /// - Parameter keyCount: How long the key is that stands before the value; 0 when nobody asks for it.
    @inline(__always)
    init(type: UInt8, keyCount: Int, valueStart: Int, valueEnd: Int) {
        header = keyCount << 8 | Int(type)
        self.valueStart = valueStart
        self.valueEnd = valueEnd
    }

    /// How many bytes the value has.
    var byteCount: Int { valueEnd - valueStart }

    /// Reads the element at an offset.
    ///
    /// - Parameters:
    ///   - bytes: The bytes that hold the document.
    ///   - start: Where the element's type byte is.
    ///   - end: Where the document's closing NUL is; nothing of the element may reach it. At most `bytes.count`.
    /// - Returns: `nil` when there is no element, or none that fits.
    @inline(__always)
    init?(in bytes: UnsafeRawBufferPointer, at start: Int, end: Int) {
        guard start < end else { return nil }
        let type = bytes[start]
        var position = start + 1
        while position < end, bytes[position] != 0 { position &+= 1 }
        guard position < end else { return nil }
        let valueStart = position + 1
        guard let length = RawElement.length(ofType: type, in: bytes, at: valueStart, end: end) else { return nil }
        self.init(
            type: type, keyCount: position - start - 1, valueStart: valueStart, valueEnd: valueStart + length)
    }

    /// How many bytes a value takes, or `nil` when it does not fit before `end` or the type is not known.
    @inline(__always)
    static func length(ofType type: UInt8, in bytes: UnsafeRawBufferPointer, at start: Int, end: Int) -> Int? {
        // `start <= end` holds, so the differences below cannot be negative, and no sum of an Int32 overflows.
        let available = end - start
        let length: Int
        switch type {
        case 0x01, 0x09, 0x11, 0x12: length = 8
        case 0x10: length = 4
        case 0x08: length = 1
        case 0x07: length = 12
        case 0x0A, 0x06, 0x7F, 0xFF: length = 0
        case 0x13: length = 16
        case 0x02, 0x0D, 0x0E:
            guard let text = stringLength(in: bytes, at: start, end: end) else { return nil }
            length = text
        case 0x03, 0x04:
            guard available >= 5 else { return nil }
            length = Int(bytes.int32(at: start))
            guard length >= 5, length <= available, bytes[start + length - 1] == 0 else { return nil }
        default:
            guard let other = rareLength(ofType: type, in: bytes, at: start, end: end) else { return nil }
            length = other
        }
        return length <= available ? length : nil
    }

    private static func rareLength(
        ofType type: UInt8, in bytes: UnsafeRawBufferPointer, at start: Int, end: Int
    ) -> Int? {
        let available = end - start
        switch type {
        case 0x05:
            guard available >= 5 else { return nil }
            let length = Int(bytes.int32(at: start))
            return length >= 0 ? length + 5 : nil
        case 0x0B:
            guard let pattern = bytes.offsetOfNUL(from: start, to: end),
                let options = bytes.offsetOfNUL(from: pattern + 1, to: end)
            else { return nil }
            return options + 1 - start
        case 0x0C:
            return stringLength(in: bytes, at: start, end: end).map { $0 + 12 }
        case 0x0F:
            guard available >= 14 else { return nil }
            let length = Int(bytes.int32(at: start))
            guard length >= 14, length <= available,
                let code = stringLength(in: bytes, at: start + 4, end: start + length),
                length - 4 - code >= 5,
                Int(bytes.int32(at: start + 4 + code)) == length - 4 - code,
                bytes[start + length - 1] == 0
            else { return nil }
            return length
        default:
            return nil
        }
    }

    /// How many bytes a string takes with its length before and its NUL after it.
    @inline(__always)
    private static func stringLength(in bytes: UnsafeRawBufferPointer, at start: Int, end: Int) -> Int? {
        guard end - start >= 5 else { return nil }
        let length = Int(bytes.int32(at: start))
        guard length >= 1, length <= end - start - 4, bytes[start + 3 + length] == 0 else { return nil }
        return length + 4
    }
}

extension UnsafeRawBufferPointer {
    @inline(__always)
    func int32(at offset: Int) -> Int32 {
        Int32(littleEndian: loadUnaligned(fromByteOffset: offset, as: Int32.self))
    }

    @inline(__always)
    func int64(at offset: Int) -> Int64 {
        Int64(littleEndian: loadUnaligned(fromByteOffset: offset, as: Int64.self))
    }

    @inline(__always)
    func uint64(at offset: Int) -> UInt64 {
        UInt64(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    @inline(__always)
    func uint32(at offset: Int) -> UInt32 {
        UInt32(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    @inline(__always)
    func uint16(at offset: Int) -> UInt16 {
        UInt16(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }

    @inline(__always)
    func double(at offset: Int) -> Double {
        Double(bitPattern: uint64(at: offset))
    }

    /// Whether two buffers hold the same bytes.
    func hasSameBytes(as other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        var index = 0
        while index + 8 <= count {
            if uint64(at: index) != other.uint64(at: index) { return false }
            index += 8
        }
        while index < count {
            if self[index] != other[index] { return false }
            index += 1
        }
        return true
    }

    func offsetOfNUL(from start: Int, to end: Int) -> Int? {
        var position = start
        while position < end {
            if self[position] == 0 { return position }
            position += 1
        }
        return nil
    }

    /// Text at the given place; what is not UTF-8 becomes U+FFFD.
    @inline(__always)
    func text(from start: Int, to end: Int) -> String {
        String(decoding: UnsafeRawBufferPointer(rebasing: self[start..<end]), as: UTF8.self)
    }
}
