import Foundation
import Persistence
import PersistenceCore
import Testing

@Suite("Email addresses")
struct EmailAddressTests {
    @Test(
        "An address is trimmed and its domain put in lower case",
        arguments: [
            ("ada@example.org", "ada@example.org"),
            ("  Ada.Lovelace+tag@Example.ORG\n", "Ada.Lovelace+tag@example.org"),
            (
                "o'brien!#$%&*/=?^_`{|}~-@a-b.xn--bcher-kva.example",
                "o'brien!#$%&*/=?^_`{|}~-@a-b.xn--bcher-kva.example"
            ),
            ("1@2.example", "1@2.example"),
        ])
    func accepted(text: String, normalised: String) throws {
        #expect(try EmailAddress(text).text == normalised)
    }

    @Test("The longest parts that a mail system must accept are accepted")
    func limits() throws {
        let local = String(repeating: "a", count: 64)
        let label = String(repeating: "b", count: 63)
        let domain = "\(label).\(label).\(String(repeating: "c", count: 58)).de"
        let longest = "\(local)@\(domain)"
        #expect(longest.utf8.count == 254)
        #expect(try EmailAddress(longest).text == longest)

        for tooLong in ["a\(longest)", "\(longest)e", "a@\(label)b.example"] {
            #expect(throws: PersistenceError.self) { try EmailAddress(tooLong) }
        }
    }

    @Test(
        "Anything else is refused without being quoted",
        arguments: [
            "", " ", "@", "ada", "ada@", "@example.org", "ada@example", "ada@localhost", "a b@example.org",
            "a..b@example.org", ".a@example.org", "a.@example.org", "a@b@example.org", "a@exa mple.org",
            "a@.example.org",
            "a@example..org", "a@example.org.", "a@-example.org", "a@example-.org", "a@127.0.0.1", "a@[127.0.0.1]",
            "\"a b\"@example.org", "a@example.org\u{0}", "ad\u{0}a@example.org", "jürgen@example.org",
            "a@bücher.example",
            "a@exаmple.org", "a\r\nBcc: b@example.org", "<a@example.org>", String(repeating: "a@b.c", count: 1_000_000),
        ])
    func refused(text: String) {
        let error = #expect(throws: PersistenceError.self) { try EmailAddress(text) }
        #expect(error?.code == .invalidArgument)
        if text.utf8.count > 2, let error {
            #expect(!String(reflecting: error).contains(text))
        }
    }

    @Test("Addresses that differ in case alone are equal, others are not")
    func equality() throws {
        let address = try EmailAddress("Ada@Example.org")
        let other = try EmailAddress("aDA@example.ORG")
        #expect(address == other)
        #expect(address.hashValue == other.hashValue)
        #expect(address.folded == "ada@example.org")
        #expect(address.text == "Ada@example.org")
        #expect(try address != EmailAddress("ada@example.com"))
        // The letters' neighbours in ASCII differ by the same bit and are no letters.
        #expect(try EmailAddress("a`@example.org") != EmailAddress("a_@example.org"))
        #expect(try EmailAddress("a{@example.org").folded == "a{@example.org")
    }

    @Test("An address has a local part and a domain")
    func parts() throws {
        let address = try EmailAddress("Ada@Example.org")
        #expect(address.localPart == "Ada")
        #expect(address.domain == "example.org")
    }

    @Test("Decoding validates")
    func codable() throws {
        let address = try EmailAddress("Ada@example.org")
        let data = try JSONEncoder().encode([address])
        #expect(data == Data(#"["Ada@example.org"]"#.utf8))
        #expect(try JSONDecoder().decode([EmailAddress].self, from: data) == [address])
        #expect(throws: PersistenceError.self) {
            try JSONDecoder().decode([EmailAddress].self, from: Data(#"["nobody"]"#.utf8))
        }
    }
}
