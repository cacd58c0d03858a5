/// Tells whether bytes are UTF-8, without making a string of them.
enum UTF8Check {
    /// Whether bytes are well-formed by the Unicode Standard's table 3-7: no overlong forms, no surrogates.
    @inline(__always)
    static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        isASCII(bytes) || isValidBeyondASCII(bytes)
    }

    /// Whether all bytes are ASCII: most keys and texts are nothing else.
    @inline(__always)
    private static func isASCII(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let count = bytes.count
        guard count >= 8 else {
            // Two loads that overlap instead of a loop.
            if count >= 4 { return (bytes.uint32(at: 0) | bytes.uint32(at: count - 4)) & 0x8080_8080 == 0 }
            if count >= 2 { return (bytes.uint16(at: 0) | bytes.uint16(at: count - 2)) & 0x8080 == 0 }
            return count == 0 || bytes[0] < 0x80
        }
        var position = 0
        repeat {
            if bytes.uint64(at: position) & 0x8080_8080_8080_8080 != 0 { return false }
            position += 8
        } while position + 8 <= count
        return bytes.uint64(at: count - 8) & 0x8080_8080_8080_8080 == 0
    }

    @inline(never)
    private static func isValidBeyondASCII(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var position = 0
        let count = bytes.count
        while position < count {
            // Eight ASCII bytes at a time.
            while position + 8 <= count, bytes.uint64(at: position) & 0x8080_8080_8080_8080 == 0 { position += 8 }
            guard position < count else { return true }
            let first = bytes[position]
            if first < 0x80 {
                position += 1
                continue
            }
            let length: Int
            var second: ClosedRange<UInt8> = 0x80...0xBF
            switch first {
            case 0xC2...0xDF: length = 2
            case 0xE0: (length, second) = (3, 0xA0...0xBF)
            case 0xE1...0xEC, 0xEE, 0xEF: length = 3
            case 0xED: (length, second) = (3, 0x80...0x9F)
            case 0xF0: (length, second) = (4, 0x90...0xBF)
            case 0xF1...0xF3: length = 4
            case 0xF4: (length, second) = (4, 0x80...0x8F)
            default: return false
            }
            guard position + length <= count, second.contains(bytes[position + 1]) else { return false }
            for index in 2..<max(length, 2) where bytes[position + index] & 0xC0 != 0x80 { return false }
            position += length
        }
        return true
    }
}
