import BSON
import PersistenceCore

/// A document that is changed step by step, beside a list of keys and values to which the same is done.
///
/// Documents share their bytes with copies of themselves and with those within them, and are changed in place when they
/// can be: none may change with another.
enum ChangeCheck {
    private typealias Model = [(key: String, value: BSONValue)]

    private struct State {
        var document = Document()
        var model: Model = []
    }

    /// The largest document that is worked with.
    private static let limit = 4096
    private static let keys = ["a", "b", "", "ä", "a longer key than the others", "$x", "a.b", "aa"]

    static func run(_ input: UnsafeRawBufferPointer) throws {
        var bytes = Bytes(input)
        var state = State()
        var copies: [State] = []
        while let step = bytes.next() {
            try change(&state, step, &bytes, &copies)
            try compare(state, "the document")
            if state.document.byteCount > limit { state = State() }
        }
        for copy in copies { try compare(copy, "a copy") }
    }

    private static func change(
        _ state: inout State, _ step: UInt8, _ bytes: inout Bytes, _ copies: inout [State]
    ) throws {
        let key = keys[Int(step >> 4 & 7)]
        switch step & 15 {
        case 0, 1, 2:
            let value = bytes.value()
            state.document[key] = value
            set(&state.model, key, value)
        case 3:
            let removed = state.document.removeValue(forKey: key)
            let wanted = state.model.first { $0.key == key }?.value
            try require(removed == wanted, "another value is removed than was there")
            state.model.removeAll { $0.key == key }
        case 4, 5:
            let value = bytes.value()
            state.document.append(key, value)
            state.model.append((key, value))
        case 6:
            guard let other = copies.last else { return }
            state.document.append(contentsOf: other.document)
            state.model += other.model
        case 7: if copies.count < 20 { copies.append(state) }
        case 8:
            // Itself within itself.
            let inner = state.document
            state.document[key] = .document(inner)
            set(&state.model, key, .document(inner))
        case 9: try enter(&state, key)
        case 10: state.document = state.document.detached()
        case 11: state.document = Document(state.document.map { ($0.key, $0.value) })
        case 12: if let field = state.document.fields.first(where: { $0.key == key }) { copy(field, &state) }
        case 13: try appendToArray(&state, key, bytes.value())
        case 14: if let other = copies.popLast() { state = other }
        default:
            state.document[key] = nil
            state.model.removeAll { $0.key == key }
        }
    }

    private static func set(_ model: inout Model, _ key: String, _ value: BSONValue) {
        if let index = model.firstIndex(where: { $0.key == key }) {
            model[index].value = value
        } else {
            model.append((key, value))
        }
    }

    private static func copy(_ field: Document.Field, _ state: inout State) {
        state.document.append(field)
        state.model.append((field.key, field.value))
    }

    /// Goes on with a document within the document, which shares its bytes.
    private static func enter(_ state: inout State, _ key: String) throws {
        guard let inner = state.document[key]?.document else { return }
        guard case .document(let other) = state.model.first(where: { $0.key == key })?.value else {
            throw Finding("a document is there that nobody put there")
        }
        state = State(document: inner, model: other.map { ($0.key, $0.value) })
    }

    private static func appendToArray(_ state: inout State, _ key: String, _ value: BSONValue) throws {
        var array = state.document[key]?.array ?? BSONArray()
        let before = Array(array)
        array.append(value)
        try require(Array(array) == before + [value] && array.count == before.count + 1, "an array lost an element")
        try require(array.element(at: before.count) == value, "an element is not where it was put")
        try require(array.asDocument.keys == (0..<array.count).map(String.init), "an array's keys are not its indices")
        state.document[key] = .array(array)
        set(&state.model, key, .array(BSONArray(before + [value])))
    }

    private static func compare(_ state: State, _ what: String) throws {
        let document = state.document
        do {
            try document.validate(limits: .none)
        } catch {
            throw Finding("\(what) is not valid any more")
        }
        try require(document.count == state.model.count, "\(what) has another number of fields")
        try require(document.keys == state.model.map(\.key), "\(what) has other keys")
        try require(document.values == state.model.map(\.value), "\(what) has other values")
        try require(
            document.byteArray == Document(state.model.map { ($0.key, $0.value) }).byteArray,
            "\(what) has other bytes than one that is made anew")
        for (key, value) in state.model {
            let first = state.model.first { $0.key == key }?.value ?? value
            try require(document[key] == first, "\(what) gives another value for a key")
        }
    }

    /// The input, taken byte by byte.
    private struct Bytes {
        private var rest: UnsafeRawBufferPointer

        init(_ rest: UnsafeRawBufferPointer) {
            self.rest = rest
        }

        mutating func next() -> UInt8? {
            guard let byte = rest.first else { return nil }
            rest = rest.from(1)
            return byte
        }

        /// A value of any type but those that equal nothing.
        mutating func value() -> BSONValue {
            let choice = next() ?? 0
            let size = Int(choice >> 4)
            let text = String(repeating: size > 12 ? "ü" : "x", count: size * size)
            switch choice & 15 {
            case 0: return .int32(Int32(size))
            case 1: return .int64(.max - Int64(size))
            case 2: return .double(Double(size) / 4)
            case 3: return .string(text)
            case 4: return .null
            case 5: return .bool(size > 7)
            case 6: return .binary(BSONBinary(subtype: .generic, bytes: Array(text.utf8)))
            case 7: return .array(BSONArray((0..<size).map { .int32(Int32($0)) }))
            case 8: return .document(["a": .string(text), "b": .int32(Int32(size))])
            case 9: return .date(BSONDate(millisecondsSince1970: Int64(size) << 40))
            case 10: return .regularExpression(BSONRegularExpression(pattern: text, options: "i"))
            case 11: return .javascriptWithScope(BSONJavaScriptWithScope(code: text, scope: ["a": 1]))
            case 12: return .minKey
            case 13: return .decimal128(Decimal128(Int64(size)))
            case 14: return .symbol(text)
            default: return .timestamp(BSONTimestamp(rawValue: UInt64(size) << 33))
            }
        }
    }
}
