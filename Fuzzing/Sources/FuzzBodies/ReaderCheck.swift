import BSON
import PersistenceCore

/// Documents read by types that code themselves, and by `Codable`: whatever the bytes are, both read the same.
///
/// The first byte says which type reads and how dates, UUIDs and data are stored; the others are the document.
enum ReaderCheck {
    static func run(_ input: UnsafeRawBufferPointer) throws {
        guard let choice = input.first else { return }
        let document = Document(unchecked: Array(input.from(1)))
        let options = options(choice)
        switch choice & 3 {
        case 0: try check(FuzzFields.self, document, options)
        case 1: try check(FuzzChain.self, document, options)
        case 2: try check(FuzzRequired.self, document, options)
        default:
            try check(FuzzLists.self, document, options)
            try checkRaw(document)
        }
    }

    static func options(_ choice: UInt8) -> BSONCodingOptions {
        var options = BSONCodingOptions()
        switch choice >> 2 & 7 {
        case 1: options.dates = .iso8601
        case 2: options.dates = .millisecondsSince1970
        case 3: options.dates = .secondsSince1970
        case 4: options.dates = .deferred
        default: break
        }
        if choice & 0x20 != 0 { options.uuids = .string }
        switch choice >> 6 {
        case 1: options.dataValues = .base64
        case 2: options.dataValues = .deferred
        default: break
        }
        return options
    }

    private static func check<Value: DocumentCodable & Codable>(
        _ type: Value.Type, _ document: Document, _ options: BSONCodingOptions
    ) throws {
        let decoder = BSONDecoder(options: options)
        let direct = outcome { () throws(PersistenceError) in try decoder.decode(type, from: document) }
        let coded = outcome { () throws(PersistenceError) in
            try decoder.decode(CodedAlone<Value>.self, from: document).value
        }
        switch (direct, coded) {
        case (.success(let direct), .success(let coded)):
            // Compared by what they are written as, because a NaN equals nothing.
            let written = try written(direct, options)
            try require(
                written == (try Self.written(coded, options)), "a type that reads itself reads something else")
            // What it has of documents that nobody checked is passed on as it is.
            if let written, (try? document.validate(limits: .none)) != nil {
                try require(
                    (try? written.validate(limits: .none)) != nil, "a type writes itself as what is no document")
            }
        case (.failure(let direct), .failure(let coded)):
            try require([.decoding, .tooLarge].contains(direct.code), "reading throws \(direct.code)")
            try require(direct.code == coded.code, "one way throws \(direct.code), the other \(coded.code)")
            try require(direct.column == coded.column, "the ways to read name different fields")
        case (.success, .failure):
            throw Finding("a type reads itself out of what Codable refuses")
        case (.failure, .success):
            throw Finding("a type does not read itself out of what Codable takes")
        }
    }

    /// The document of a value; what the two ways to write have to agree on, and to read again.
    private static func written<Value: DocumentCodable & Codable>(
        _ value: Value, _ options: BSONCodingOptions
    ) throws -> Document? {
        let encoder = BSONEncoder(options: options)
        let decoder = BSONDecoder(options: options)
        let coded = outcome { () throws(PersistenceError) in try encoder.encode(CodedAlone(value: value)) }
        switch (outcome { () throws(PersistenceError) in try encoder.encode(value) }, coded) {
        case (.success(let direct), .success(let coded)):
            try require(direct == coded, "a type that writes itself writes something else than Codable")
            guard let again = try? decoder.decode(Value.self, from: direct) else {
                throw Finding("what was written is not read")
            }
            try require((try? encoder.encode(again)) == direct, "what was written is read as something else")
            return direct
        case (.failure(let direct), .failure(let coded)):
            try require([.encoding, .tooLarge].contains(direct.code), "writing throws \(direct.code)")
            try require(direct.code == coded.code, "one way throws \(direct.code), the other \(coded.code)")
            return nil
        case (.success, .failure(let error)):
            throw Finding("Codable does not write what a type writes of itself: \(error.code)")
        case (.failure(let error), .success):
            throw Finding("a type does not write of itself what Codable writes: \(error.code)")
        }
    }

    private static func outcome<Value>(
        _ body: () throws(PersistenceError) -> Value
    ) -> Result<Value, PersistenceError> {
        do throws(PersistenceError) {
            return .success(try body())
        } catch {
            return .failure(error)
        }
    }

    /// Every field as it is, beside what the document gives for its key.
    private static func checkRaw(_ document: Document) throws {
        let raw: FuzzRaw
        do {
            raw = try BSONDecoder().decode(FuzzRaw.self, from: document)
        } catch {
            throw Finding("a value of any type throws \(error.code)")
        }
        // Of a key that occurs twice it is not said which field is read.
        guard Set(document.keys).count == document.count else { return }
        for (key, value) in [("a", raw.a), ("b", raw.b), ("long key", raw.long)] {
            var other = document[key]
            if let type = other?.type, [.null, .undefined].contains(type) { other = Optional.none }
            try require(
                value.map { ["": $0] as Document } == other.map { ["": $0] as Document },
                "a reader and a document have different values for a key")
        }
    }
}

/// A type as `Codable` codes it, because this one does not say that it codes itself.
struct CodedAlone<Value: Codable>: Codable {
    let value: Value

    init(value: Value) {
        self.value = value
    }

    init(from decoder: any Decoder) throws {
        value = try Value(from: decoder)
    }

    func encode(to encoder: any Encoder) throws {
        try value.encode(to: encoder)
    }
}
