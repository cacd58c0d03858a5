import Foundation
import Persistence
import PersistenceCore
import Testing

@Suite("Display names")
struct DisplayNameTests {
    @Test(
        "Names of any script are kept, white space around them is not",
        arguments: [
            ("Ada Lovelace", "Ada Lovelace"), ("  Ada \t\n", "Ada"), ("Łukasz Żółć", "Łukasz Żółć"), ("山田太郎", "山田太郎"),
            ("\u{A0}محمد\u{3000}", "محمد"), ("👩‍👩‍👧", "👩‍👩‍👧"), ("O'Brien; DROP TABLE users", "O'Brien; DROP TABLE users"),
        ])
    func accepted(text: String, kept: String) throws {
        #expect(try DisplayName(text).text == kept)
    }

    @Test("A name has at most 200 Unicode scalars, however many bytes those take")
    func limit() throws {
        #expect(try DisplayName(String(repeating: "🙂", count: 200)).text.unicodeScalars.count == 200)
        #expect(throws: PersistenceError.self) { try DisplayName(String(repeating: "a", count: 201)) }
        #expect(throws: PersistenceError.self) { try DisplayName("e" + String(repeating: "\u{301}", count: 200)) }
        #expect(throws: PersistenceError.self) { try DisplayName(String(repeating: "a", count: 50_000_000)) }
    }

    @Test(
        "Empty names and control characters are refused",
        arguments: ["", " \u{3000}\n", "a\u{0}b", "a\nb", "a\u{85}b", "\u{7F}"])
    func refused(text: String) {
        let error = #expect(throws: PersistenceError.self) { try DisplayName(text) }
        #expect(error?.code == .invalidArgument)
    }

    @Test("Decoding validates")
    func codable() throws {
        let name = try DisplayName("Ada")
        let data = try JSONEncoder().encode([name])
        #expect(try JSONDecoder().decode([DisplayName].self, from: data) == [name])
        #expect(throws: PersistenceError.self) {
            try JSONDecoder().decode([DisplayName].self, from: Data(#"[""]"#.utf8))
        }
    }
}
