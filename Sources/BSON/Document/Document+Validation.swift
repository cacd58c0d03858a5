public import PersistenceCore

extension Document {
    /// Checks the whole structure: lengths, types, terminators, UTF-8, booleans, and limits.
    ///
    /// - Parameter limits: The size and the depth that are allowed.
    /// - Throws: ``PersistenceCore/PersistenceError`` with the code `decoding` when the bytes are malformed, `encoding`
    ///   when something was put in that BSON cannot hold, `tooLarge` beyond the limits. `location` says at which byte.
    public func validate(limits: Limits = .standard) throws(PersistenceError) {
        try requireWellFormed()
        let found = bytes.withUnsafeBytes { buffer in
            Validator(buffer: buffer, origin: start, limits: limits, rules: nil).fault(in: start, byteCount)
        }
        if let found { throw found.error }
    }

    /// Checks what a server demands of a document that is to be stored, beyond what ``validate(limits:)`` checks.
    ///
    /// - No field's name begins with `$`, but for `$ref`, `$id` and `$db` (a DBRef) in nested documents.
    /// - No field's name contains a dot, because no query could reach it.
    /// - No document has two fields with one name.
    /// - `_id` is no array, regular expression or `undefined`.
    ///
    /// These are the rules of the MongoDB manual ("Documents", "Field Names") in their strict form; servers from 5.0 on
    /// store some names that break the first two, at a price that the manual describes.
    ///
    /// - Parameter limits: The size and the depth that are allowed.
    /// - Throws: ``PersistenceCore/PersistenceError`` with the code `invalidArgument` when a rule is broken, and what
    ///   ``validate(limits:)`` throws. `location` says at which byte.
    public func validateForStorage(limits: Limits = .standard) throws(PersistenceError) {
        try requireWellFormed()
        let found = bytes.withUnsafeBytes { buffer in
            Validator(buffer: buffer, origin: start, limits: limits, rules: .storage).fault(in: start, byteCount)
        }
        if let found { throw found.error }
    }
}

/// Walks over a document with a stack of its own, so that no depth overflows the thread's.
private struct Validator {
    enum Rules {
        case storage
    }

    struct Level {
        var position: Int
        var end: Int
        var isArray: Bool
        var keys: Set<[UInt8]>
    }

    let buffer: UnsafeRawBufferPointer
    let origin: Int
    let limits: Document.Limits
    let rules: Rules?

    func fault(in start: Int, _ count: Int) -> BSONFault? {
        guard count <= limits.byteCount else {
            return BSONFault(.tooLarge, "the document has \(count) bytes, more than \(limits.byteCount)", at: nil)
        }
        guard limits.depth >= 1 else { return tooDeep(at: start) }
        var outer: [Level] = []
        var level = Level(position: start + 4, end: start + count - 1, isArray: false, keys: [])
        while true {
            while level.position < level.end {
                guard let element = RawElement(in: buffer, at: level.position, end: level.end) else {
                    return fault("a field's length or type is wrong", at: level.position)
                }
                let key = UnsafeRawBufferPointer(rebasing: buffer[element.keyStart..<element.keyEnd])
                guard UTF8Check.isValid(key) else { return fault("a key is not UTF-8", at: element.keyStart) }
                if rules != nil, let broken = brokenRule(element, key, isOutermost: outer.isEmpty, &level) {
                    return broken
                }
                if let wrong = fault(inValueOf: element) { return wrong }
                level.position = element.valueEnd
                if let inner = nested(element) {
                    guard outer.count + 1 < limits.depth else { return tooDeep(at: element.valueStart) }
                    outer.append(level)
                    level = inner
                }
            }
            guard let next = outer.popLast() else { return nil }
            level = next
        }
    }

    private func nested(_ element: RawElement) -> Level? {
        switch element.type {
        case 0x03, 0x04:
            return Level(
                position: element.valueStart + 4, end: element.valueEnd - 1, isArray: element.type == 0x04, keys: [])
        case 0x0F:
            let scope = element.valueStart + 8 + Int(buffer.int32(at: element.valueStart + 4))
            return Level(position: scope + 4, end: element.valueEnd - 1, isArray: false, keys: [])
        default:
            return nil
        }
    }

    private func fault(inValueOf element: RawElement) -> BSONFault? {
        let start = element.valueStart
        switch element.type {
        case 0x02, 0x0D, 0x0E:
            if !isText(start + 4, element.valueEnd - 1) { return fault("a string is not UTF-8", at: start) }
        case 0x0C:
            if !isText(start + 4, element.valueEnd - 13) { return fault("a namespace is not UTF-8", at: start) }
        case 0x0F:
            let end = start + 7 + Int(buffer.int32(at: start + 4))
            if !isText(start + 8, end) { return fault("JavaScript is not UTF-8", at: start) }
        case 0x0B:
            // The NUL between pattern and options is valid UTF-8.
            if !isText(start, element.valueEnd) { return fault("a regular expression is not UTF-8", at: start) }
        case 0x08:
            if buffer[start] > 1 { return fault("a boolean is neither 0 nor 1", at: start) }
        case 0x05:
            let count = Int(buffer.int32(at: start))
            if buffer[start + 4] == 2, count < 4 || Int(buffer.int32(at: start + 5)) != count - 4 {
                return fault("the second length of old binary is wrong", at: start)
            }
        default:
            break
        }
        return nil
    }

    private func brokenRule(
        _ element: RawElement, _ key: UnsafeRawBufferPointer, isOutermost: Bool, _ level: inout Level
    ) -> BSONFault? {
        if level.isArray { return nil }
        func broken(_ summary: String) -> BSONFault {
            BSONFault(.invalidArgument, summary, at: element.keyStart - origin)
        }
        if key.first == UInt8(ascii: "$") {
            let isReference = !isOutermost && ["$ref", "$id", "$db"].contains { key.elementsEqual($0.utf8) }
            if !isReference { return broken("a field's name begins with $") }
        }
        if key.contains(UInt8(ascii: ".")) { return broken("a field's name contains a dot") }
        if !level.keys.insert([UInt8](key)).inserted { return broken("two fields have one name") }
        if isOutermost, [0x04, 0x06, 0x0B].contains(element.type), key.elementsEqual("_id".utf8) {
            return broken("_id is an array, a regular expression or undefined")
        }
        return nil
    }

    private func isText(_ start: Int, _ end: Int) -> Bool {
        UTF8Check.isValid(UnsafeRawBufferPointer(rebasing: buffer[start..<end]))
    }

    private func fault(_ summary: String, at offset: Int) -> BSONFault {
        BSONFault(.decoding, summary, at: offset - origin)
    }

    private func tooDeep(at offset: Int) -> BSONFault {
        BSONFault(.tooLarge, "the document is nested more than \(limits.depth) levels deep", at: offset - origin)
    }
}
