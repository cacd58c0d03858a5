public import PersistenceCore

extension Document {
    /// Reads a document in MongoDB Extended JSON, version 2, in either form.
    ///
    /// The text must be JSON by RFC 8259 without anything after the document. Keys keep their order; one that occurs
    /// twice is kept twice. A number without fraction or exponent becomes the smaller integer type that holds it, or
    /// else a double. `$regex` is left as it is, because it is also an operator of queries.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - limits: The size and the depth that are allowed.
    /// - Throws: ``PersistenceCore/PersistenceError`` with the code `decoding` when the text is not that, `tooLarge`
    ///   beyond the limits. `location` says at which byte of the text.
    public init(extendedJSON text: some StringProtocol, limits: Limits = .standard) throws(PersistenceError) {
        guard case .document(let document) = try BSONValue(extendedJSON: text, limits: limits) else {
            throw PersistenceError(.decoding, "the text holds a value, but not a document")
        }
        self = document
    }

    /// The document in MongoDB Extended JSON, version 2.
    ///
    /// - Parameters:
    ///   - mode: The form: ``ExtendedJSONMode/canonical`` keeps every type, ``ExtendedJSONMode/relaxed`` reads well.
    ///   - pretty: Whether each field gets a line of its own, indented by two spaces a level.
    /// - Returns: The text.
    public func extendedJSON(_ mode: ExtendedJSONMode = .relaxed, pretty: Bool = false) -> String {
        BSONValue.document(self).extendedJSON(mode, pretty: pretty)
    }
}

extension BSONValue {
    /// Reads a value in MongoDB Extended JSON, version 2; see ``Document/init(extendedJSON:limits:)``.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - limits: The size and the depth that are allowed.
    /// - Throws: What ``Document/init(extendedJSON:limits:)`` throws, but that the value may be anything.
    public init(extendedJSON text: some StringProtocol, limits: Document.Limits = .standard) throws(PersistenceError) {
        var reader = ExtendedJSONReader(text: [UInt8](text.utf8), depth: limits.depth)
        let value: BSONValue
        do {
            value = try reader.read()
        } catch {
            throw PersistenceError(.decoding, "this is no extended JSON: \(error.summary)").with {
                if let offset = error.offset { $0.location = "byte \(offset)" }
            }
        }
        switch value {
        case .document(let document): try document.validate(limits: limits)
        case .array(let array): try array.storage.validate(limits: limits)
        default: break
        }
        self = value
    }

    /// The value in MongoDB Extended JSON, version 2.
    ///
    /// - Parameters:
    ///   - mode: The form.
    ///   - pretty: Whether each field gets a line of its own, indented by two spaces a level.
    /// - Returns: The text.
    public func extendedJSON(_ mode: ExtendedJSONMode = .relaxed, pretty: Bool = false) -> String {
        var writer = ExtendedJSONWriter(mode: mode, pretty: pretty)
        return writer.write(self)
    }
}

extension Document: CustomStringConvertible {
    /// The document in relaxed extended JSON, values and all: not for logs.
    public var description: String { extendedJSON(.relaxed) }
}

extension BSONArray: CustomStringConvertible {
    /// The array in relaxed extended JSON, values and all: not for logs.
    public var description: String { BSONValue.array(self).extendedJSON(.relaxed) }
}

extension BSONValue: CustomStringConvertible {
    /// The value in relaxed extended JSON: not for logs.
    public var description: String { extendedJSON(.relaxed) }
}
