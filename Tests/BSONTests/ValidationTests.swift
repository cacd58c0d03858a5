import BSON
import PersistenceCore
import Testing

@Suite("Validation of documents")
struct ValidationTests {
    private func code(_ body: () throws -> Void) -> PersistenceError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? PersistenceError)?.code
        }
    }

    @Test("A document cut short anywhere is refused, and reading it unchecked gives what is whole")
    func truncation() {
        for document in Corpus.documents {
            let bytes = document.byteArray
            for count in 0..<bytes.count {
                let part = Array(bytes[..<count])
                #expect(code { _ = try Document(validating: part) } == .decoding)
                readEverything(Document(unchecked: part))
                #expect(Document(unchecked: part).isEmpty)
                // As if the length had been right.
                guard count >= 4 else { continue }
                var claimed = part
                withUnsafeBytes(of: Int32(count).littleEndian) { claimed.replaceSubrange(0..<4, with: $0) }
                readEverything(Document(unchecked: claimed))
                if let read = try? Document(validating: claimed) { readEverything(read) }
            }
        }
    }

    @Test("No changed byte makes reading fail, and what is valid here is valid for libbson")
    func mutation() {
        var kept = 0
        for document in Corpus.documents {
            let bytes = document.byteArray
            // The large one is only changed in some of the ways.
            let replacements: [UInt8] =
                bytes.count > 500 ? [0xFF] : [0, 1, 2, 3, 4, 5, 0x0B, 0x0F, 0x7F, 0x80, 0xFF]
            for index in bytes.indices {
                for replacement in replacements {
                    var changed = bytes
                    changed[index] = replacement
                    kept += check(changed) ? 1 : 0
                    changed[index] = bytes[index] ^ (1 << (replacement & 7))
                    kept += check(changed) ? 1 : 0
                }
            }
        }
        #expect(kept > 1000)
    }

    @Test("Random damage never makes reading fail", arguments: [1, 2, 3, 4] as [UInt64])
    func randomMutation(seed: UInt64) {
        var random = SplitMix(state: seed)
        for _ in 0..<1500 {
            var bytes = Corpus.documents[Int(random.next() % UInt64(Corpus.documents.count))].byteArray
            for _ in 0...random.next() % 4 {
                let index = Int(random.next() % UInt64(bytes.count))
                switch random.next() % 4 {
                case 0: bytes[index] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.remove(at: index)
                case 2: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: index)
                default:
                    let other = Int(random.next() % UInt64(bytes.count))
                    bytes.swapAt(index, other)
                }
                if bytes.isEmpty { bytes = [5, 0, 0, 0, 0] }
            }
            if random.next() % 2 == 0, bytes.count >= 5 {
                withUnsafeBytes(of: Int32(bytes.count).littleEndian) { bytes.replaceSubrange(0..<4, with: $0) }
                bytes[bytes.count - 1] = 0
            }
            _ = check(bytes)
        }
    }

    /// Reads bytes in every way; whether they are valid.
    private func check(_ bytes: [UInt8]) -> Bool {
        let unchecked = Document(unchecked: bytes)
        readEverything(unchecked)
        guard let read = try? Document(validating: bytes) else { return false }
        readEverything(read)
        #expect(read == unchecked)
        #expect(Oracle.isValid(bytes))
        return true
    }

    private func readEverything(_ document: Document) {
        var count = 0
        var again = Document()
        for (key, value) in document {
            count += 1
            if let inner = value.document { readEverything(inner) }
            if let inner = value.array { readEverything(inner.asDocument) }
            if let inner = value.binary { #expect(inner.bytes.count == inner.count) }
            again.append(key, value)
        }
        #expect(count == document.count && again.count == count)
        #expect(!document.extendedJSON(.canonical).isEmpty)
        _ = try? BSONDecoder().decode([String: BSONValue].self, from: document)
    }

    @Test("Limits are errors of their own")
    func limits() throws {
        var nested = Document()
        for _ in 1..<100 { nested = ["a": .document(nested)] }
        try nested.validate()
        let tooDeep: Document = ["a": .document(nested)]
        #expect(code { try tooDeep.validate() } == .tooLarge)
        try tooDeep.validate(limits: .none)
        for _ in 0..<20 { nested = ["a": [.document(nested)]] }
        #expect(code { try nested.validate() } == .tooLarge)
        // No recursion: a depth that no stack would bear. Built in bytes, because nesting copies.
        let levels = 200_000
        var bytes: [UInt8] = []
        for level in 0..<levels {
            withUnsafeBytes(of: Int32(5 + 8 * (levels - 1 - level)).littleEndian) { bytes += $0 }
            if level < levels - 1 { bytes += [3, 0x61, 0] }
        }
        bytes += [UInt8](repeating: 0, count: levels)
        try Document(validating: bytes, limits: .none).validate(limits: .none)
        #expect(code { _ = try Document(validating: bytes) } == .tooLarge)
        #expect(!Document(unchecked: bytes).extendedJSON().isEmpty)
        #expect(code { _ = try BSONDecoder().decode(Recursive.self, from: Document(unchecked: bytes)) } == .tooLarge)

        let large: Document = ["a": .binary(BSONBinary(bytes: [UInt8](repeating: 7, count: 16_777_216 - 13)))]
        #expect(large.byteCount == 16_777_216)
        try large.validateForStorage()
        var larger = large
        larger["b"] = nil
        larger.append("b", .null)
        #expect(code { try larger.validate() } == .tooLarge)
        #expect(code { try Document(["a": 1]).validate(limits: .init(byteCount: 10)) } == .tooLarge)
        #expect(code { try Document().validate(limits: .init(depth: 0)) } == .tooLarge)
    }

    private struct Recursive: Decodable {
        final class Box: Decodable, Sendable {
            let a: Box?
        }
        let a: Box?
    }

    @Test("Names that a server does not store are refused")
    func storage() throws {
        try Document(["a": ["$ref": "c", "$id": 1, "$db": "d"], "_id": 1, "": 0]).validateForStorage()
        let refused: [Document] = [
            ["$set": 1], ["a": ["$gt": 1]], ["a": [["$gt": 1]]], ["a.b": 1], ["a": [["b.c": 1]]], ["a": 1, "a": 2],
            ["a": ["x": 1, "y": 1, "x": 1]], ["_id": [1]], ["_id": .undefined], ["$ref": 1],
            ["_id": .regularExpression(.init(pattern: "a"))],
        ]
        for document in refused {
            #expect(code { try document.validateForStorage() } == .invalidArgument, "\(document)")
            try document.validate()
        }
        // The indexes of arrays are not names.
        try Document(["a": [1, 2], "b": ["_id": [1]]]).validateForStorage()
    }

    @Test("Faults say at which byte they are")
    func location() throws {
        var bytes = Document(["a": true, "b": "x"]).byteArray
        bytes[7] = 2
        do {
            _ = try Document(validating: bytes)
            Issue.record("a boolean of 2 was taken")
        } catch {
            #expect(error.code == .decoding && error.location == "byte 7")
        }
        #expect(code { _ = try Document(validating: Document().byteArray + [0]) } == .decoding)
        #expect(code { _ = try Document(validating: [] as [UInt8]) } == .decoding)
        #expect(code { _ = try Document(validating: repeatElement(0, count: 100)) } == .decoding)
        #expect(code { try Document(unchecked: []).requireWellFormed() } == .decoding)
    }

    @Test("UTF-8 is checked as libbson checks it")
    func text() {
        var random = SplitMix(state: 99)
        let pieces: [[UInt8]] = [
            [0x61], [0xC2, 0x80], [0xC1, 0x80], [0xE0, 0xA0, 0x80], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80],
            [0xEF, 0xBF, 0xBF], [0xF0, 0x90, 0x80, 0x80], [0xF0, 0x80, 0x80, 0x80], [0xF4, 0x8F, 0xBF, 0xBF],
            [0xF4, 0x90, 0x80, 0x80], [0xC2], [0xE2, 0x82], [0x80], [0xF8, 0x88, 0x80, 0x80, 0x80], [0xFF],
            Array("abcdefgh".utf8),
        ]
        for _ in 0..<2000 {
            let text = (0..<random.next() % 6).flatMap { _ in pieces[Int(random.next() % UInt64(pieces.count))] }
            var bytes: [UInt8] = [0, 0, 0, 0, 2, 0x61, 0]
            withUnsafeBytes(of: Int32(text.count + 1).littleEndian) { bytes += $0 }
            bytes += text + [0, 0]
            withUnsafeBytes(of: Int32(bytes.count).littleEndian) { bytes.replaceSubrange(0..<4, with: $0) }
            let isValid = String(validating: text, as: UTF8.self) != nil
            #expect((code { _ = try Document(validating: bytes) } == nil) == isValid, "\(text)")
        }
    }
}

/// Numbers that look random and are the same every time.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
