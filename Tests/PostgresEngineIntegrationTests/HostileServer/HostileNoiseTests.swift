import PersistenceCore
import PostgresEngine
import Testing

/// A server whose answers are damaged at random, the same way in every run.
@Suite("A server that damages its answers")
struct HostileNoiseTests {
    private static let damaged: PostgresStatement = "SELECT damaged"
    private static let truth: PostgresStatement = "SELECT truth"

    @Test("ends in an error or an answer in time, and the next connection is good", arguments: 0..<60)
    func noise(_ seed: Int) async throws {
        let server = try HostileServer { conversation in
            conversation.serve { text in
                guard text.contains("damaged") else { return .honest(text) }
                return .damaged(seed: UInt64(seed))
            }
        }
        defer { server.stop() }
        try await PostgresDatabase.with(try server.configuration()) { (database) async throws in
            #expect(try await database.one(Self.truth, as: Int32.self) == 7)
            do {
                // Any number may come of a changed one; more rows than were sent may not.
                let rows = try await withDeadline(.milliseconds(500)) {
                    try await database.all(Self.damaged, as: Int32.self)
                }
                #expect(rows.count <= 16)
            } catch let error as PersistenceError {
                #expect(!error.description.isEmpty)
            }
            #expect(try await database.one(Self.truth, as: Int32.self) == 7)
        }
    }
}

extension ProtocolAnswers {
    /// Two rows, with some bytes of one answer changed, taken out, put in or repeated.
    fileprivate static func damaged(seed: UInt64) -> ProtocolAnswers {
        var generator = SplitMix(state: seed)
        var answers = ProtocolAnswers()
        answers.execute =
            ProtocolMessage.seven + ProtocolMessage.seven + ProtocolMessage.commandComplete("SELECT 2")
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: damage(&answers.parse, &generator)
            case 1: damage(&answers.describe, &generator)
            case 2:
                var bytes = ProtocolMessage.readyForQuery()
                damage(&bytes, &generator)
                answers.sync = bytes
            default: damage(&answers.execute, &generator)
            }
        }
        return answers
    }

    private static func damage(_ bytes: inout [UInt8], _ generator: inout SplitMix) {
        guard !bytes.isEmpty else { return }
        let index = Int.random(in: 0..<bytes.count, using: &generator)
        let value = [0, 1, 0x7F, 0x80, 0xFF, UInt8(truncatingIfNeeded: generator.next())]
            .randomElement(using: &generator)
        switch Int.random(in: 0..<8, using: &generator) {
        case 0: bytes.remove(at: index)
        case 1: bytes.insert(value ?? 0, at: index)
        case 2: bytes.removeSubrange(index...)
        case 3: bytes += bytes[index...]
        default: bytes[index] = value ?? 0
        }
    }
}

/// A generator that gives the same numbers in every run (SplitMix64).
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
