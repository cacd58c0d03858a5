/// Reads JSON (RFC 8259, strictly) and takes the objects that stand for values for what they stand for.
///
/// It has a stack of its own, so that no depth of the text overflows the thread's.
struct ExtendedJSONReader {
    private typealias Fault = ExtendedJSON.Fault

    /// An object or array that has begun.
    private struct Level {
        var content = Document()
        var array = BSONArray()
        var isArray: Bool
        /// The key whose value comes next.
        var key = ""
    }

    private let text: [UInt8]
    private let depth: Int
    private var position = 0
    private var levels: [Level] = []

    init(text: [UInt8], depth: Int) {
        self.text = text
        // Two more than documents may have, for the objects that stand for values.
        self.depth = depth <= Int.max - 2 ? depth + 2 : depth
    }

    mutating func read() throws(ExtendedJSON.Fault) -> BSONValue {
        guard text.withUnsafeBytes({ UTF8Check.isValid($0) }) else { throw Fault(summary: "the text is not UTF-8") }
        var value = try begin()
        while true {
            if let finished = value {
                if levels.isEmpty {
                    guard peek() == nil else { throw fault("there is something after the value") }
                    return finished
                }
                value = try take(finished)
            } else {
                value = try begin()
            }
        }
    }

    /// Reads a value; `nil` when that was the beginning of an object or array that is not empty.
    private mutating func begin() throws(ExtendedJSON.Fault) -> BSONValue? {
        guard let byte = peek() else { throw fault("the text ends where a value is expected") }
        switch byte {
        case UInt8(ascii: "{"):
            try open(isArray: false)
            if peek() == UInt8(ascii: "}") { return try close() }
            try readKey()
            return nil
        case UInt8(ascii: "["):
            try open(isArray: true)
            if peek() == UInt8(ascii: "]") { return try close() }
            return nil
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        default: return try number()
        }
    }

    private mutating func open(isArray: Bool) throws(ExtendedJSON.Fault) {
        guard levels.count < depth else { throw fault("it is nested too deeply") }
        position += 1
        levels.append(Level(isArray: isArray))
    }

    /// Ends the innermost object or array, which then is a value of the one around it.
    private mutating func close() throws(ExtendedJSON.Fault) -> BSONValue {
        position += 1
        guard let level = levels.popLast() else { throw fault("there is a bracket too many") }
        if level.isArray { return .array(level.array) }
        do {
            return try ExtendedJSON.value(of: level.content) ?? .document(level.content)
        } catch {
            throw fault(error.summary)
        }
    }

    /// Puts a value into the innermost object or array; gives that back when it ends.
    private mutating func take(_ value: BSONValue) throws(ExtendedJSON.Fault) -> BSONValue? {
        let last = levels.count - 1
        let isArray = levels[last].isArray
        if isArray {
            levels[last].array.append(value)
        } else {
            levels[last].content.append(levels[last].key, value)
        }
        switch peek() {
        case UInt8(ascii: ","):
            position += 1
            if !isArray { try readKey() }
            return nil
        case UInt8(ascii: "]") where isArray, UInt8(ascii: "}") where !isArray:
            return try close()
        default:
            throw fault("a comma or a closing bracket is expected")
        }
    }

    private mutating func readKey() throws(ExtendedJSON.Fault) {
        guard peek() == UInt8(ascii: "\"") else { throw fault("a key is expected") }
        let key = try string()
        guard !key.utf8.contains(0) else { throw fault("a key contains a NUL character") }
        guard peek() == UInt8(ascii: ":") else { throw fault("a colon is expected") }
        position += 1
        levels[levels.count - 1].key = key
    }

    /// The next byte that is no white space.
    private mutating func peek() -> UInt8? {
        while position < text.count {
            switch text[position] {
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"): position += 1
            default: return text[position]
            }
        }
        return nil
    }

    private func fault(_ summary: String) -> ExtendedJSON.Fault {
        ExtendedJSON.Fault(summary: summary, offset: position)
    }
}

// MARK: - Scalars

extension ExtendedJSONReader {
    private mutating func literal(_ word: StaticString, _ value: BSONValue) throws(ExtendedJSON.Fault) -> BSONValue {
        let count = word.utf8CodeUnitCount
        guard position + count <= text.count,
            word.withUTF8Buffer({ text[position..<position + count].elementsEqual($0) })
        else { throw fault("a value is expected") }
        position += count
        return value
    }

    private mutating func number() throws(ExtendedJSON.Fault) -> BSONValue {
        let start = position
        if next() == UInt8(ascii: "-") { position += 1 }
        let digits = skipDigits()
        let hasLeadingZero = digits > 1 && text[position - digits] == UInt8(ascii: "0")
        guard digits > 0, !hasLeadingZero else { throw fault("a value is expected") }
        var isInteger = true
        if next() == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            guard skipDigits() > 0 else { throw fault("a digit is expected") }
        }
        if next() == UInt8(ascii: "e") || next() == UInt8(ascii: "E") {
            isInteger = false
            position += 1
            if next() == UInt8(ascii: "+") || next() == UInt8(ascii: "-") { position += 1 }
            guard skipDigits() > 0 else { throw fault("a digit is expected") }
        }
        let number = String(decoding: text[start..<position], as: UTF8.self)
        if isInteger, number != "-0" {
            if let small = Int32(number) { return .int32(small) }
            if let large = Int64(number) { return .int64(large) }
        }
        guard let double = Double(number), double.isFinite else { throw fault("the number is too large") }
        return .double(double)
    }

    private func next() -> UInt8? {
        position < text.count ? text[position] : nil
    }

    private mutating func skipDigits() -> Int {
        let start = position
        while let byte = next(), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        return position - start
    }

    private mutating func string() throws(ExtendedJSON.Fault) -> String {
        position += 1
        let start = position
        while let byte = next(), byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
        if next() == UInt8(ascii: "\"") {
            position += 1
            return String(decoding: text[start..<position - 1], as: UTF8.self)
        }
        return try stringWithEscapes(Array(text[start..<position]))
    }

    private mutating func stringWithEscapes(_ prefix: [UInt8]) throws(ExtendedJSON.Fault) -> String {
        var bytes = prefix
        while let byte = next() {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: bytes, as: UTF8.self)
            case UInt8(ascii: "\\"): try escape(into: &bytes)
            case 0..<0x20: throw fault("a text contains a control character")
            default: bytes.append(byte)
            }
        }
        throw fault("a text does not end")
    }

    private mutating func escape(into bytes: inout [UInt8]) throws(ExtendedJSON.Fault) {
        guard let byte = next() else { throw fault("a text does not end") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(byte)
        case UInt8(ascii: "b"): bytes.append(8)
        case UInt8(ascii: "f"): bytes.append(12)
        case UInt8(ascii: "n"): bytes.append(10)
        case UInt8(ascii: "r"): bytes.append(13)
        case UInt8(ascii: "t"): bytes.append(9)
        case UInt8(ascii: "u"): bytes.append(contentsOf: String(Character(try escapedScalar())).utf8)
        default: throw fault("an escape is not one of JSON")
        }
    }

    private mutating func escapedScalar() throws(ExtendedJSON.Fault) -> Unicode.Scalar {
        var code = try codeUnit()
        if 0xD800...0xDBFF ~= code {
            guard next() == UInt8(ascii: "\\") else { throw fault("half of a surrogate pair") }
            position += 1
            guard next() == UInt8(ascii: "u") else { throw fault("half of a surrogate pair") }
            position += 1
            let low = try codeUnit()
            guard 0xDC00...0xDFFF ~= low else { throw fault("half of a surrogate pair") }
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw fault("half of a surrogate pair") }
        return scalar
    }

    private mutating func codeUnit() throws(ExtendedJSON.Fault) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = next().flatMap({ Hexadecimal.value(of: $0) }) else {
                throw fault("four hexadecimal digits are expected")
            }
            position += 1
            code = code << 4 | UInt32(digit)
        }
        return code
    }
}
