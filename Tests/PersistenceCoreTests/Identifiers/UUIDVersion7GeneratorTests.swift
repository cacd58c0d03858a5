import Foundation
import PersistenceCore
import Synchronization
import Testing

@Suite("UUIDs of version 7")
struct UUIDVersion7GeneratorTests {
    /// A clock and a source of bits that a test sets.
    private final class Source: Sendable {
        private let state: Mutex<(time: Double, bits: UInt64)>

        init(milliseconds: Double, bits: UInt64) {
            state = Mutex((milliseconds, bits))
        }

        func set(milliseconds: Double? = nil, bits: UInt64? = nil) {
            state.withLock { state in
                if let milliseconds { state.time = milliseconds }
                if let bits { state.bits = bits }
            }
        }

        var generator: UUIDVersion7Generator {
            UUIDVersion7Generator(
                now: { Date(timeIntervalSince1970: self.state.withLock { $0.time } / 1000) },
                random: { self.state.withLock { $0.bits } })
        }
    }

    @Test("The layout is that of RFC 9562, section 5.7")
    func layout() {
        // 2022-02-22T19:22:22Z, the time of the RFC's own example (appendix A.6).
        let source = Source(milliseconds: 1_645_557_742_000, bits: 0)
        #expect(source.generator.next().uuidString == "017F22E2-79B0-7000-8000-000000000000")

        source.set(bits: .max)
        #expect(source.generator.next().uuidString == "017F22E2-79B0-77FF-BFFF-FFFFFFFFFFFF")
    }

    @Test("Within a millisecond, values grow and carry from the low bits into the high ones")
    func growsWithinMillisecond() {
        let source = Source(milliseconds: 1_645_557_742_000, bits: .max)
        let generator = source.generator
        var previous = generator.next().uuidString
        source.set(bits: 0)
        for _ in 0..<1000 {
            let next = generator.next().uuidString
            #expect(next > previous)
            previous = next
        }
        #expect(previous.hasPrefix("017F22E2-79B0-7800"))
    }

    @Test("When the clock steps back, values still grow", arguments: [1.0, 1000, 86_400_000])
    func growsWhenClockStepsBack(step: Double) {
        let source = Source(milliseconds: 1_645_557_742_000, bits: 42)
        let generator = source.generator
        let first = generator.next().uuidString
        source.set(milliseconds: 1_645_557_742_000 - step)
        let second = generator.next().uuidString
        source.set(milliseconds: 1_645_557_742_001)
        let third = generator.next().uuidString
        #expect(first < second)
        #expect(second < third)
    }

    @Test("Times that do not fit are clamped", arguments: [-1e18, -1.0, 1e18, .infinity])
    func clampsTime(milliseconds: Double) {
        let value = Source(milliseconds: milliseconds, bits: 0).generator.next().uuidString
        #expect(value.hasPrefix(milliseconds < 0 ? "00000000-0000-7" : "FFFFFFFF-FFFF-7"))
    }

    @Test("Tasks that run at once get different values, each in its order")
    func concurrent() async {
        let runs = await withTaskGroup(of: [UserKey].self) { group in
            for _ in 0..<8 {
                group.addTask { (0..<5_000).map { _ in UserKey() } }
            }
            return await group.reduce(into: [[UserKey]]()) { $0.append($1) }
        }
        for run in runs {
            #expect(zip(run, run.dropFirst()).allSatisfy { $0 < $1 })
        }
        #expect(Set(runs.joined()).count == 40_000)
    }
}

@Suite("Identifiers of entities")
struct EntityIdentifierTests {
    @Test("An identifier is encoded as its UUID alone")
    func codable() throws {
        let key = UserKey()
        let data = try JSONEncoder().encode([key])
        #expect(String(decoding: data, as: UTF8.self) == "[\"\(key.rawValue.uuidString)\"]")
        #expect(try JSONDecoder().decode([UserKey].self, from: data) == [key])
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([UserKey].self, from: Data(#"["not a uuid"]"#.utf8))
        }
    }

    @Test("The description is the UUID in lower case and reads back")
    func description() throws {
        let text = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
        let key = try #require(UserKey(text))
        #expect(key.description == text)
        #expect(UserKey(text.uppercased()) == key)
    }

    @Test("Text that is no UUID gives nil", arguments: ["", "017f22e2", String(repeating: "0", count: 100_000), "ü"])
    func malformed(text: String) {
        #expect(UserKey(text) == nil)
    }

    @Test("Identifiers are ordered by their bytes, also beyond the first half")
    func order() throws {
        let keys = try [
            "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-8000-000000000000",
            "00000000-0000-0001-0000-000000000000", "7fffffff-0000-0000-0000-000000000000",
            "80000000-0000-0000-0000-000000000000",
        ].map { try #require(UserKey($0)) }
        #expect(keys.reversed().sorted() == keys)
    }
}

private struct UserKey: EntityIdentifier {
    let rawValue: UUID

    init(rawValue: UUID) {
        self.rawValue = rawValue
    }
}
