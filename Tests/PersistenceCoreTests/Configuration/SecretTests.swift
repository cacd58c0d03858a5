import Configuration
import Foundation
import PersistenceCore
import Synchronization
import Testing

@Suite("Secrets")
struct SecretTests {
    private struct Account: Codable {
        var user = "ada"
        var password: Secret
        var other: Secret?
    }

    private let account = Account(password: Secret("hunter2"), other: Secret("hunter2"))

    @Test("the text comes out through reveal alone")
    func reveal() {
        #expect(Secret("hunter2").reveal() == "hunter2")
        #expect(Secret("hunter2") == Secret("hunter2"))
        #expect(Secret("hunter2") != Secret("hunter3"))
        #expect(Secret("").isEmpty)
        #expect(!Secret(" ").isEmpty)
    }

    @Test("no way of printing shows the text")
    func printing() {
        var texts = [
            "\(account.password)", "\(account)", String(describing: account), String(reflecting: account),
            String(reflecting: account.password), String(describing: account.password as Any),
            account.password.debugDescription, "\([account.password])", "\(["password": account.password])",
            "\(Mirror(reflecting: account.password).children.map { "\($0.value)" })",
        ]
        var dumped = ""
        dump(account, to: &dumped)
        dump(account.password, to: &dumped)
        texts.append(dumped)
        for text in texts {
            #expect(!text.contains("hunter2"))
        }
        #expect(texts[0] == "<redacted>")
        #expect(dumped.contains("<redacted>"))
    }

    @Test("no encoder gets the text")
    func encoding() throws {
        let json = try String(decoding: JSONEncoder().encode(account), as: UTF8.self)
        #expect(!json.contains("hunter2"))
        #expect(json.contains("<redacted>"))
        let list = try PropertyListEncoder().encode(account)
        #expect(!String(decoding: list, as: UTF8.self).contains("hunter2"))
    }

    @Test("a secret is read from a document, but not one that was redacted")
    func decoding() throws {
        let read = try JSONDecoder().decode(Account.self, from: Data(#"{"user":"ada","password":"hunter2"}"#.utf8))
        #expect(read.password.reveal() == "hunter2")
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(Account.self, from: JSONEncoder().encode(account))
        }
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(Account.self, from: Data(#"{"user":"ada","password":7}"#.utf8))
        }
    }

    @Test("a secret is read from a configuration without a reporter of accesses seeing it")
    func configuration() {
        let reporter = Reporter()
        let config = ConfigReader(
            provider: InMemoryProvider(values: ["database.password": "hunter2"]),
            accessReporter: reporter
        )
        #expect(config.scoped(to: "database").secret(forKey: "password")?.reveal() == "hunter2")
        #expect(config.secret(forKey: "nothing") == nil)
        // Even where somebody forgets to say that it is a secret, the converted value hides itself.
        let text = reporter.text
        #expect(!text.contains("hunter2"))
        #expect(text.contains("database.password"))
    }

    private final class Reporter: AccessReporter {
        private let events = Mutex<[AccessEvent]>([])

        var text: String {
            events.withLock { $0.map { "\($0.metadata.key) \($0.result)" } }.joined(separator: "\n")
        }

        func report(_ event: AccessEvent) {
            events.withLock { $0.append(event) }
        }
    }
}
