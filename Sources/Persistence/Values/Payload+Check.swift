public import PersistenceCore

extension Payload {
    /// How many bytes the payload takes as BSON.
    ///
    /// Counts down to ``maximumDepth`` and no deeper.
    public var encodedSize: Int {
        var measure = PayloadMeasure()
        measure.add(self, depth: 1)
        return measure.size
    }

    /// Refuses a payload that a document store cannot keep, in every store alike.
    ///
    /// - Parameter operation: The name of the operation, for the error.
    /// - Throws: `PersistenceError` with the code `tooLarge` for more than ``maximumSize`` bytes, `invalidData` for more
    ///   than ``maximumDepth`` levels, a field's name that contains U+0000 or begins with `$`, a number that is not
    ///   finite, or a date that milliseconds cannot tell. The error quotes neither names nor values.
    public func check(operation: String? = nil) throws(PersistenceError) {
        var measure = PayloadMeasure()
        measure.add(self, depth: 1)
        if let fault = measure.fault {
            throw PersistenceError(.invalidData, "the payload has \(fault)", operation: operation)
        }
        guard measure.size <= Self.maximumSize else {
            throw PersistenceError(
                .tooLarge, "the payload takes more than \(Self.maximumSize) bytes", operation: operation)
        }
    }
}

/// Measures a payload by the rules of bsonspec.org, and finds what a store cannot keep.
private struct PayloadMeasure {
    var size = 0
    var fault: String?

    mutating func add(_ payload: Payload, depth: Int) {
        size += 5
        guard enter(depth) else { return }
        for (name, value) in payload.fields {
            // MongoDB takes a leading $ for an operator (manual, "Field Names with Periods and Dollar Signs").
            if name.utf8.first == UInt8(ascii: "$") { fault = "a field whose name begins with $" }
            if name.utf8.contains(0) { fault = "a field whose name contains the character U+0000" }
            size += 2 + name.utf8.count
            add(value, depth: depth)
        }
    }

    private mutating func add(_ elements: [PayloadValue], depth: Int) {
        size += 5
        guard enter(depth) else { return }
        for (index, value) in elements.enumerated() {
            size += 2 + Self.digits(index)
            add(value, depth: depth)
        }
    }

    private mutating func add(_ value: PayloadValue, depth: Int) {
        switch value {
        case .null: break
        case .bool: size += 1
        case .integer: size += 8
        case .double(let number):
            size += 8
            if !number.isFinite { fault = "a number that is not finite" }
        case .text(let text): size += 5 + text.utf8.count
        case .date(let date):
            size += 8
            if !date.isStorable { fault = "a date that milliseconds cannot tell" }
        case .bytes(let bytes): size += 5 + bytes.count
        case .array(let elements): add(elements, depth: depth + 1)
        case .object(let payload): add(payload, depth: depth + 1)
        }
    }

    private mutating func enter(_ depth: Int) -> Bool {
        guard depth <= Payload.maximumDepth else {
            fault = "more than \(Payload.maximumDepth) levels"
            return false
        }
        return true
    }

    private static func digits(_ index: Int) -> Int {
        var (count, rest) = (1, index / 10)
        while rest > 0 {
            count += 1
            rest /= 10
        }
        return count
    }
}
