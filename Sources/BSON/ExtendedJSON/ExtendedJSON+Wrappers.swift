#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What the writer and the reader of extended JSON share: the objects that stand for values that JSON does not have.
enum ExtendedJSON {
    /// What the text or an object in it is not.
    struct Fault: Error {
        var summary: String
        var offset: Int? = nil
    }

    /// The object that stands for a value, or `nil` when JSON has the value itself.
    static func wrapper(for value: BSONValue, _ mode: ExtendedJSONMode) -> Document? {
        switch value {
        case .string, .document, .array, .bool, .null: nil
        case .int32(let number): mode == .relaxed ? nil : ["$numberInt": .string(String(number))]
        case .int64(let number): mode == .relaxed ? nil : ["$numberLong": .string(String(number))]
        case .double(let number):
            mode == .relaxed && number.isFinite ? nil : ["$numberDouble": .string(text(number))]
        case .decimal128(let number): ["$numberDecimal": .string(number.description)]
        case .binary(let binary):
            [
                "$binary": [
                    "base64": .string(binary.data.base64EncodedString()),
                    "subType": .string(hexadecimal(binary.subtype.rawValue)),
                ]
            ]
        case .undefined: ["$undefined": true]
        case .objectID(let id): ["$oid": .string(id.description)]
        case .date(let date): ["$date": wrapped(date, mode)]
        case .regularExpression(let expression):
            [
                "$regularExpression": [
                    "pattern": .string(expression.pattern), "options": .string(expression.options),
                ]
            ]
        case .dbPointer(let pointer):
            [
                "$dbPointer": [
                    "$ref": .string(pointer.namespace), "$id": ["$oid": .string(pointer.id.description)],
                ]
            ]
        case .javascript(let code): ["$code": .string(code)]
        case .symbol(let text): ["$symbol": .string(text)]
        case .javascriptWithScope(let code): ["$code": .string(code.code), "$scope": .document(code.scope)]
        case .timestamp(let timestamp):
            ["$timestamp": ["t": .int64(Int64(timestamp.seconds)), "i": .int64(Int64(timestamp.increment))]]
        case .minKey: ["$minKey": 1]
        case .maxKey: ["$maxKey": 1]
        }
    }

    /// The key under which a wrapper holds a document of the user's.
    static let scopeKey = "$scope"

    private static func wrapped(_ date: BSONDate, _ mode: ExtendedJSONMode) -> BSONValue {
        if mode == .relaxed, date.millisecondsSince1970 >= 0, let text = ISO8601.text(date) { return .string(text) }
        return ["$numberLong": .string(String(date.millisecondsSince1970))]
    }

    static func text(_ number: Double) -> String {
        if number.isNaN { return "NaN" }
        if number.isInfinite { return number < 0 ? "-Infinity" : "Infinity" }
        return number.description
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
}

// MARK: - Reading

extension ExtendedJSON {
    /// The value that an object stands for, or `nil` when it is a document.
    ///
    /// The values within it have been taken for what they stand for already. `$regex` is left alone, because it is also
    /// an operator of queries.
    static func value(of object: Document) throws(Fault) -> BSONValue? {
        // No wrapper has more than two keys, and each has one that begins with a dollar sign.
        var fields: [(key: String, value: BSONValue)] = []
        for field in object.fields {
            guard fields.count < 2 else { return nil }
            let isWrapper = field.withUnsafeKeyBytes { $0.first == UInt8(ascii: "$") }
            guard isWrapper || !fields.isEmpty else { return nil }
            fields.append((field.key, field.value))
        }
        guard let first = fields.first else { return nil }
        if fields.count == 2 { return try pair(first, fields[1]) }
        return try single(first.key, first.value)
    }

    private static func pair(
        _ first: (key: String, value: BSONValue), _ second: (key: String, value: BSONValue)
    ) throws(Fault) -> BSONValue? {
        let ordered = first.key < second.key ? (first, second) : (second, first)
        switch (ordered.0.key, ordered.1.key) {
        case ("$code", "$scope"):
            guard case .string(let code) = ordered.0.value, case .document(let scope) = ordered.1.value else {
                throw wrong("$code")
            }
            return .javascriptWithScope(BSONJavaScriptWithScope(code: code, scope: scope))
        case ("$binary", "$type"):
            // The form of version 1, which MongoDB's older tools write.
            guard case .string(let base64) = ordered.0.value, let type = hexadecimalOrNumber(ordered.1.value) else {
                throw wrong("$binary")
            }
            return .binary(try binary(base64, type))
        default:
            let keys = [first.key, second.key]
            for key in keys where single.contains(key) {
                throw Fault(summary: "an object with \(key) has other keys", offset: nil)
            }
            return nil
        }
    }

    /// The keys that stand alone in their objects.
    private static let single: Set<String> = [
        "$oid", "$symbol", "$numberInt", "$numberLong", "$numberDouble", "$numberDecimal", "$binary", "$uuid", "$code",
        "$timestamp", "$regularExpression", "$dbPointer", "$date", "$minKey", "$maxKey", "$undefined",
    ]

    private static func single(_ key: String, _ value: BSONValue) throws(Fault) -> BSONValue? {
        guard single.contains(key) else { return nil }
        if case .string(let text) = value, let found = try text.isEmpty ? nil : ofText(key, text) { return found }
        let found: BSONValue? =
            switch (key, value) {
            case ("$code", .string(let code)): .javascript(code)
            case ("$symbol", .string(let text)): .symbol(text)
            case ("$date", .int64(let milliseconds)): .date(BSONDate(millisecondsSince1970: milliseconds))
            case ("$date", .int32(let milliseconds)): .date(BSONDate(millisecondsSince1970: Int64(milliseconds)))
            case ("$minKey", .int32(1)): .minKey
            case ("$maxKey", .int32(1)): .maxKey
            case ("$undefined", .bool(true)): .undefined
            case (_, .document(let inner)): try ofDocument(key, inner)
            default: nil
            }
        guard let found else { throw wrong(key) }
        return found
    }

    private static func ofText(_ key: String, _ text: String) throws(Fault) -> BSONValue? {
        switch key {
        case "$oid": return ObjectID(text).map(BSONValue.objectID)
        case "$numberInt": return Int32(text).map(BSONValue.int32)
        case "$numberLong": return Int64(text).map(BSONValue.int64)
        case "$numberDouble": return double(text).map(BSONValue.double)
        case "$numberDecimal": return Decimal128(text).map(BSONValue.decimal128)
        case "$date": return ISO8601.date(text).map(BSONValue.date)
        case "$uuid": return UUID(uuidString: text).map { BSONValue($0) }
        default: return nil
        }
    }

    private static func double(_ text: String) -> Double? {
        switch text {
        case "NaN": return .nan
        case "Infinity": return .infinity
        case "-Infinity": return -.infinity
        default:
            // Swift also reads "nan", "inf" and hexadecimal numbers, which are none in JSON.
            guard text.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }) else { return nil }
            return Double(text)
        }
    }

    private static func ofDocument(_ key: String, _ inner: Document) throws(Fault) -> BSONValue? {
        guard inner.count == 2 else { return nil }
        switch key {
        case "$binary":
            guard let base64 = inner["base64"]?.string, let type = inner["subType"].flatMap(hexadecimalOrNumber)
            else { return nil }
            return .binary(try binary(base64, type))
        case "$timestamp":
            guard let seconds = inner["t"]?.int.flatMap(UInt32.init(exactly:)),
                let increment = inner["i"]?.int.flatMap(UInt32.init(exactly:))
            else { return nil }
            return .timestamp(BSONTimestamp(seconds: seconds, increment: increment))
        case "$regularExpression":
            guard let pattern = inner["pattern"]?.string, let options = inner["options"]?.string,
                !pattern.utf8.contains(0), !options.utf8.contains(0)
            else { return nil }
            return .regularExpression(BSONRegularExpression(pattern: pattern, options: options))
        case "$dbPointer":
            guard let namespace = inner["$ref"]?.string, let id = inner["$id"]?.objectID else { return nil }
            return .dbPointer(BSONDBPointer(namespace: namespace, id: id))
        default:
            return nil
        }
    }

    private static func hexadecimalOrNumber(_ value: BSONValue) -> UInt8? {
        if let text = value.string, (1...2).contains(text.utf8.count) {
            // `UInt8` would take a sign.
            return Hexadecimal.value(of: text.utf8.first ?? 0).flatMap { _ in UInt8(text, radix: 16) }
        }
        return value.int.flatMap { UInt8(exactly: $0) }
    }

    private static func binary(_ base64: String, _ type: UInt8) throws(Fault) -> BSONBinary {
        guard let data = Data(base64Encoded: base64) else { throw wrong("$binary") }
        return BSONBinary(subtype: .init(rawValue: type), bytes: [UInt8](data))
    }

    private static func wrong(_ key: String) -> Fault {
        Fault(summary: "the value of \(key) is not one that it may have", offset: nil)
    }
}
