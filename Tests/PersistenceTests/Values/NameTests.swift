import Foundation
import Persistence
import PersistenceCore
import Testing

@Suite("Labels, providers and external identifiers")
struct NameTests {
    @Test(
        "A label has letters, digits and a few signs",
        arguments: ["a", "A.b_c-d:e/9", String(repeating: "x", count: 128)])
    func labels(text: String) throws {
        #expect(try Label(text).text == text)
        #expect(try JSONDecoder().decode([Label].self, from: Data("[\"\(text)\"]".utf8)) == [Label(text)])
    }

    @Test(
        "Other labels are refused",
        arguments: ["", " ", "a b", "ä", "$a", "a\u{0}", "a\n", String(repeating: "x", count: 129)])
    func otherLabels(text: String) {
        let error = #expect(throws: PersistenceError.self) { try Label(text) }
        #expect(error?.code == .invalidArgument)
        #expect(throws: (any Error).self) {
            try JSONDecoder().decode([Label].self, from: JSONEncoder().encode([text]))
        }
    }

    @Test(
        "A provider is a name in lower case",
        arguments: ["", "Mail", "a/b", "a:b", "a b", "é", String(repeating: "x", count: 65)])
    func providers(text: String) throws {
        let error = #expect(throws: PersistenceError.self) { try IntegrationProvider(text) }
        #expect(error?.code == .invalidArgument)
        #expect(try IntegrationProvider("mail.example_2-x").name == "mail.example_2-x")
    }

    @Test("An external identifier is any text of 1 to 512 bytes, and compares by its bytes")
    func externalIDs() throws {
        for text in ["", "a\u{0}", String(repeating: "é", count: 257)] {
            let error = #expect(throws: PersistenceError.self) { try ExternalID(text) }
            #expect(error?.code == .invalidArgument)
        }
        #expect(try ExternalID(String(repeating: "é", count: 256)).text.utf8.count == 512)
        let (composed, decomposed) = (try ExternalID("caf\u{e9}"), try ExternalID("cafe\u{301}"))
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed]).count == 2)
        #expect(decomposed < composed)
        #expect(!(composed < composed))
    }

    @Test("A failure's message has a limit")
    func failures() throws {
        let code = try Label("x")
        let long = String(repeating: "m", count: ExecutionFailure.maximumMessageSize)
        #expect(try ExecutionFailure(code: code, message: long).message == long)
        let error = #expect(throws: PersistenceError.self) { try ExecutionFailure(code: code, message: long + "m") }
        #expect(error?.code == .tooLarge)
        let decoded = try JSONDecoder().decode(ExecutionFailure.self, from: Data(#"{"code":"x"}"#.utf8))
        #expect(decoded == (try ExecutionFailure(code: code)))
    }

    @Test("Activity metadata is read from JSON with as little as an activity, a status and a time")
    func metadata() throws {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        let activity = ActivityID()
        let json = #"{"activity":"\#(activity)","status":"succeeded","occurredAt":"2026-03-01T00:00:00Z"}"#
        let metadata = try decoder.decode(ActivityMetadata.self, from: Data(json.utf8))
        #expect(metadata.activity == activity)
        #expect(metadata.payload.isEmpty)
        #expect(metadata.endedAt == Date(timeIntervalSince1970: 1_772_323_200))
        #expect(metadata.duration == nil)
        for wrong in [
            json.replacing("succeeded", with: "done"), json.replacing("\(activity)", with: "1"),
            json.replacing("\"status\"", with: "\"state\""),
        ] {
            #expect(throws: (any Error).self) { try decoder.decode(ActivityMetadata.self, from: Data(wrong.utf8)) }
        }
    }

    @Test("Dates are rounded to milliseconds where values are made")
    func dates() {
        let date = Date(timeIntervalSince1970: 1_700_000_000.123_456)
        let metadata = ActivityMetadata(
            status: .succeeded, occurredAt: date, startedAt: date, finishedAt: date + 0.0004)
        #expect(metadata.occurredAt == Date(timeIntervalSince1970: 1_700_000_000.123))
        #expect(metadata.duration == .milliseconds(1))
        #expect(Date(timeIntervalSince1970: .nan).inMilliseconds.timeIntervalSince1970.isNaN)
    }
}
