package import PersistenceCore

/// How documents become values of a type: by the type itself, when it is ``DocumentReadable``.
///
/// For generic code that is told of `Decodable` alone, and looks the way up once for many documents.
package struct DocumentDecoding<Value: Decodable> {
    private let one: (Document) throws(PersistenceError) -> Value
    /// Untyped, so that the function of a readable type is this one as well.
    private let many: (inout DocumentSequence, Int, UnsafeMutableRawPointer) -> (Int, PersistenceError?)

    /// Looks the way up.
    package init(_ decoder: BSONDecoder, _ type: Value.Type) {
        if type == Document.self {
            // The types are the same: they were compared.
            one = { (document) throws(PersistenceError) in unsafeBitCast(document, to: type) }
            many = { sequence, limit, memory in
                sequence.each(limit, memory.assumingMemoryBound(to: Document.self)) { place, document in
                    place.initialize(to: document)
                }
            }
        } else if let readable = type as? any DocumentReadable.Type {
            (one, many) = Self.reading(readable, decoder)
        } else {
            one = { (document) throws(PersistenceError) in try decoder.decode(type, from: document) }
            many = { sequence, limit, memory in
                decoder.decode(&sequence, limit, memory.assumingMemoryBound(to: type))
            }
        }
    }

    private static func reading<Readable: DocumentReadable>(
        _ readable: Readable.Type, _ decoder: BSONDecoder
    ) -> (
        (Document) throws(PersistenceError) -> Value,
        (inout DocumentSequence, Int, UnsafeMutableRawPointer) -> (Int, PersistenceError?)
    ) {
        let read = { (document: Document) throws(PersistenceError) -> Readable in
            try decoder.decode(readable, from: document)
        }
        return (
            // The same type under another name: `readable` is `Value`, cast. Both are generic here, so both functions
            // give their result in the same way. Casting each result instead would copy it.
            unsafeBitCast(read, to: ((Document) throws(PersistenceError) -> Value).self),
            { sequence, limit, memory in
                decoder.read(&sequence, limit, memory.assumingMemoryBound(to: readable))
            }
        )
    }

    /// Decodes a document.
    package func callAsFunction(_ document: Document) throws(PersistenceError) -> Value { try one(document) }

    /// Decodes documents that stand one after the other.
    ///
    /// In one go, because going from one to the next in generic code costs as much as reading some fields.
    ///
    /// - Parameters:
    ///   - sequence: The documents; goes on behind what was decoded, or failed.
    ///   - limit: How many to decode at most.
    ///   - memory: Where the values go, with room for as many.
    /// - Returns: How many values there are, and what was wrong with the document behind them.
    package func callAsFunction(
        _ sequence: inout DocumentSequence, limit: Int, into memory: UnsafeMutablePointer<Value>
    ) -> (count: Int, error: PersistenceError?) {
        many(&sequence, limit, UnsafeMutableRawPointer(memory))
    }
}

extension BSONDecoder {
    fileprivate func decode<Value: Decodable>(
        _ sequence: inout DocumentSequence, _ limit: Int, _ memory: UnsafeMutablePointer<Value>
    ) -> (Int, PersistenceError?) {
        // The types that do not decode themselves, and whatever is no document.
        if NativeType.of(Value.self) != nil || sequence.nextByteCount == nil {
            return sequence.each(limit, memory) { (place, document) throws(PersistenceError) in
                place.initialize(to: try decode(Value.self, from: document))
            }
        }
        var done = 0
        var level: DecodingLevel?
        while done < limit, let byteCount = sequence.nextByteCount {
            let start = sequence.position
            sequence.skip(byteCount)
            // The level of the document before, unless its value has kept its decoder.
            let current: DecodingLevel
            if isKnownUniquelyReferenced(&level), let level {
                level.move(toDocumentAt: start, byteCount: byteCount)
                current = level
            } else {
                current = DecodingLevel(
                    root: Document(sharing: sequence.bytes, start: start, count: byteCount), root)
                level = current
            }
            do {
                (memory + done).initialize(to: try Value(from: current))
            } catch {
                return (done, Self.surface(error))
            }
            done += 1
        }
        return (done, nil)
    }

    fileprivate func read<Value: DocumentReadable>(
        _ sequence: inout DocumentSequence, _ limit: Int, _ memory: UnsafeMutablePointer<Value>
    ) -> (Int, PersistenceError?) {
        DocumentReader.read(&sequence, limit, memory, root)
    }
}

/// How values of a type become documents: by the type itself, when it is ``DocumentWritable``.
package struct DocumentEncoding<Value: Encodable> {
    private let body: (Value) throws(PersistenceError) -> Document

    /// Looks the way up.
    package init(_ encoder: BSONEncoder, _ type: Value.Type) {
        if let writable = type as? any DocumentWritable.Type {
            body = Self.writing(writable, encoder)
        } else {
            body = { (value) throws(PersistenceError) in try encoder.encode(value) }
        }
    }

    private static func writing<Writable: DocumentWritable>(
        _ writable: Writable.Type, _ encoder: BSONEncoder
    ) -> (Value) throws(PersistenceError) -> Document {
        let write = { (value: Writable) throws(PersistenceError) -> Document in try encoder.encode(value) }
        // As in `DocumentDecoding`.
        return unsafeBitCast(write, to: ((Value) throws(PersistenceError) -> Document).self)
    }

    /// Encodes a value.
    package func callAsFunction(_ value: Value) throws(PersistenceError) -> Document { try body(value) }
}
