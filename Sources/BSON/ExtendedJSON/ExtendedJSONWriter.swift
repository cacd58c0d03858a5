/// Writes extended JSON, with a stack of its own, so that no depth of documents overflows the thread's.
struct ExtendedJSONWriter {
    private struct Level {
        var fields: Document.Fields.Iterator
        var isArray: Bool
        /// Whether this is part of an object that stands for a value: what is in it is written as JSON has it.
        var isWrapper: Bool
        var isEmpty = true
    }

    private let mode: ExtendedJSONMode
    private let pretty: Bool
    private var text: [UInt8] = []
    private var levels: [Level] = []

    init(mode: ExtendedJSONMode, pretty: Bool) {
        self.mode = mode
        self.pretty = pretty
    }

    mutating func write(_ value: BSONValue) -> String {
        put(value, inWrapper: false)
        while var level = levels.popLast() {
            guard let field = level.fields.next() else {
                close(level)
                continue
            }
            if !level.isEmpty { text.append(UInt8(ascii: ",")) }
            level.isEmpty = false
            levels.append(level)
            newLine()
            var isWrapper = level.isWrapper
            if !level.isArray {
                let key = field.key
                put(key)
                text.append(UInt8(ascii: ":"))
                if pretty { text.append(UInt8(ascii: " ")) }
                if key == ExtendedJSON.scopeKey { isWrapper = false }
            }
            put(field.value, inWrapper: isWrapper)
        }
        return String(decoding: text, as: UTF8.self)
    }

    private mutating func put(_ value: BSONValue, inWrapper: Bool) {
        if !inWrapper, let wrapper = ExtendedJSON.wrapper(for: value, mode) {
            return open(wrapper, isArray: false, isWrapper: true)
        }
        switch value {
        case .document(let document): open(document, isArray: false, isWrapper: inWrapper)
        case .array(let array): open(array.storage, isArray: true, isWrapper: inWrapper)
        case .string(let string): put(string)
        case .bool(let bool): text.append(contentsOf: (bool ? "true" : "false").utf8)
        case .int32(let number): text.append(contentsOf: number.description.utf8)
        case .int64(let number): text.append(contentsOf: number.description.utf8)
        case .double(let number): text.append(contentsOf: number.description.utf8)
        default: text.append(contentsOf: "null".utf8)
        }
    }

    private mutating func open(_ document: Document, isArray: Bool, isWrapper: Bool) {
        text.append(UInt8(ascii: isArray ? "[" : "{"))
        levels.append(
            Level(fields: document.fields.makeIterator(), isArray: isArray, isWrapper: isWrapper))
    }

    private mutating func close(_ level: Level) {
        if !level.isEmpty { newLine() }
        text.append(UInt8(ascii: level.isArray ? "]" : "}"))
    }

    private mutating func newLine() {
        guard pretty else { return }
        text.append(UInt8(ascii: "\n"))
        text.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * levels.count))
    }

    private mutating func put(_ string: String) {
        text.append(UInt8(ascii: "\""))
        for byte in string.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                text.append(UInt8(ascii: "\\"))
                text.append(byte)
            case UInt8(ascii: "\n"): text.append(contentsOf: "\\n".utf8)
            case UInt8(ascii: "\r"): text.append(contentsOf: "\\r".utf8)
            case UInt8(ascii: "\t"): text.append(contentsOf: "\\t".utf8)
            case 0..<0x20:
                text.append(contentsOf: "\\u00".utf8)
                text.append(Hexadecimal.digit(byte >> 4))
                text.append(Hexadecimal.digit(byte & 0xF))
            default: text.append(byte)
            }
        }
        text.append(UInt8(ascii: "\""))
    }
}
