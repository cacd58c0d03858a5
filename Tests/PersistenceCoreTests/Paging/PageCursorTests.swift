import Foundation
import PersistenceCore
import Testing

@Suite("Page cursors")
struct PageCursorTests {
    let id = UUID()

    @Test("every type of key comes back as it was")
    func roundTrip() throws {
        let date = Date(timeIntervalSinceReferenceDate: 806_000_000.123_456_7)
        let cursor = try PageCursor(
            listing: "users.newest",
            keys: [
                date, id, "grüße 👩‍👩‍👧", Int.min, Int64.max, Int32(-7), Int16(7), true, false, -0.1, String?.none, Int?(5),
            ],
            direction: .backward
        )
        let read = try PageCursor(token: cursor.token)
        #expect(read == cursor)
        #expect(read.direction == .backward)
        let values = try read.values(
            of: "users.newest",
            Date.self, UUID.self, String.self, Int.self, Int64.self, Int32.self, Int16.self, Bool.self, Bool.self,
            Double.self, String?.self, Int?.self
        )
        #expect(values.0 == date)
        #expect(values.1 == id)
        #expect(values.2 == "grüße 👩‍👩‍👧")
        #expect(values.3 == .min)
        #expect(values.4 == .max)
        #expect(values.5 == -7)
        #expect(values.6 == 7)
        #expect(values.7 && !values.8)
        #expect(values.9 == -0.1)
        #expect(values.10 == nil)
        #expect(values.11 == 5)
    }

    @Test("a token can stand in a URL as it is")
    func urlSafe() throws {
        for number in 0..<300 {
            let token = try PageCursor(listing: "l", keys: [number, String(repeating: "?", count: number % 7)]).token
            #expect(token.utf8.allSatisfy { Self.alphabet.contains($0) })
        }
    }

    @Test("one key is read as one value")
    func single() throws {
        let cursor = try PageCursor(listing: "users", keys: [id])
        let value: UUID = try cursor.values(of: "users", UUID.self)
        #expect(value == id)
    }

    @Test("a token of another list is refused")
    func foreign() throws {
        let cursor = try PageCursor(listing: "users.newest", keys: [id])
        expectInvalid("the page token is of another list") { _ = try cursor.values(of: "users.oldest", UUID.self) }
    }

    @Test("keys of other types or of another number are refused")
    func otherKeys() throws {
        let cursor = try PageCursor(listing: "l", keys: [Int64(1) << 40])
        let message = "the page token has other keys than the list is sorted by"
        expectInvalid(message) { _ = try cursor.values(of: "l", UUID.self) }
        expectInvalid(message) { _ = try cursor.values(of: "l", String.self) }
        expectInvalid(message) { _ = try cursor.values(of: "l", Double.self) }
        expectInvalid(message) { _ = try cursor.values(of: "l", Date.self) }
        expectInvalid(message) { _ = try cursor.values(of: "l", Bool.self) }
        expectInvalid(message) { _ = try cursor.values(of: "l", Int32.self) }
        expectInvalid(message) { _ = try cursor.values(of: "l", Int.self, Int.self) }
        expectInvalid(message) { _ = try cursor.values(of: "l") }
        let null = try PageCursor(listing: "l", keys: [Int?.none])
        expectInvalid(message) { _ = try null.values(of: "l", Int.self) }
    }

    @Test(
        "what is no token is refused",
        arguments: ["", "A", "!!!!", "AQ==", "A Q", "AQ", "AQAAAAA", "grüße", "\0", "AQ\n"]
    )
    func malformed(text: String) {
        expectInvalid("the page token is malformed") { _ = try PageCursor(token: text) }
    }

    @Test("a token of another version is refused")
    func version() {
        expectInvalid("the page token is of another version") { _ = try PageCursor(token: "AgAAAAAA") }
    }

    @Test("every changed character and every cut is noticed")
    func damage() throws {
        let token = try PageCursor(listing: "users.newest", keys: ["ada@example.org", id]).token
        let characters = Array(token.utf8)
        for position in characters.indices {
            var changed = characters
            changed[position] = changed[position] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            let text = String(decoding: changed, as: UTF8.self)
            // The last character may carry bits that belong to no byte.
            if let read = try? PageCursor(token: text) {
                #expect(position == characters.count - 1)
                #expect(read.keys.count == 2)
            }
            #expect(throws: PersistenceError.self) {
                try PageCursor(token: String(decoding: characters[..<position], as: UTF8.self))
            }
        }
        #expect(throws: PersistenceError.self) { try PageCursor(token: token + token) }
    }

    @Test("random bytes behind a right checksum never trap")
    func forged() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let count = Int.random(in: 0...40, using: &generator)
            // Small numbers make plausible tags and lengths likely.
            let body = (0..<count).map { _ in UInt8.random(in: 0...(Bool.random() ? 8 : 255)) }
            let sum = body.reduce(UInt32(0x811C_9DC5)) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
            let bytes = [1] + withUnsafeBytes(of: sum.littleEndian) { Array($0) } + body
            let token = Data(bytes).base64EncodedString()
                .replacingOccurrences(of: "+", with: "-")
                .replacingOccurrences(of: "/", with: "_")
                .replacingOccurrences(of: "=", with: "")
            do {
                let cursor = try PageCursor(token: token)
                #expect(!cursor.listing.isEmpty && !cursor.keys.isEmpty)
            } catch {
                #expect(error.code == .invalidArgument)
            }
        }
    }

    @Test("tokens have a largest length, both ways")
    func length() throws {
        let long = String(repeating: "A", count: PageCursor.maximumTokenLength + 1)
        expectInvalid("the page token is too long") { _ = try PageCursor(token: long) }
        for size in [1600, 70_000] {
            let error = #expect(throws: PersistenceError.self) {
                try PageCursor(listing: "l", keys: [String(repeating: "x", count: size)])
            }
            #expect(error?.code == .tooLarge)
        }
        let most = try PageCursor(listing: "l", keys: [String(repeating: "x", count: 1500)])
        #expect(try PageCursor(token: most.token) == most)
        let many = #expect(throws: PersistenceError.self) {
            try PageCursor(listing: "l", keys: Array(repeating: true, count: 256))
        }
        #expect(many?.code == .tooLarge)
    }

    @Test("a cursor needs a list and a key")
    func incomplete() {
        let message = "a page cursor needs the name of a list and at least one key"
        expectInvalid(message) { _ = try PageCursor(listing: "", keys: [1]) }
        expectInvalid(message) { _ = try PageCursor(listing: "l", keys: []) }
    }

    @Test("no description shows a key or the token that holds it")
    func redaction() throws {
        let cursor = try PageCursor(listing: "users.email", keys: ["hunter2"])
        let request = try KeysetPageRequest(cursor: cursor)
        var dumped = ""
        dump(cursor, to: &dumped)
        dump(request, to: &dumped)
        dump(cursor.keys, to: &dumped)
        let texts = [
            "\(cursor)", String(reflecting: cursor), "\(request)", String(reflecting: request), "\(cursor.keys)",
            dumped,
        ]
        for text in texts {
            #expect(!text.contains("hunter2"))
            #expect(!text.contains(cursor.token))
        }
        #expect(cursor.description == "users.email forward from text")
    }

    @Test("a cursor is encoded as its token, and a bad token is a decoding error")
    func coding() throws {
        let cursor = try PageCursor(listing: "l", keys: [1])
        let json = try JSONEncoder().encode([cursor])
        #expect(String(decoding: json, as: UTF8.self) == "[\"\(cursor.token)\"]")
        #expect(try JSONDecoder().decode([PageCursor].self, from: json) == [cursor])
        #expect(throws: DecodingError.self) { try JSONDecoder().decode([PageCursor].self, from: Data("[\"x\"]".utf8)) }
    }

    private static let alphabet = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
}
