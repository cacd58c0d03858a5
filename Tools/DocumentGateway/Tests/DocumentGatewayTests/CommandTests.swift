import BSON
import DocumentGateway
import PersistenceCore
import Testing

@Suite("Commands")
struct CommandTests {
    private func command(_ body: Document) throws(CommandError) -> Command {
        try Command(WireRequest(body: body))
    }

    private func code(_ body: Document) -> Int32? {
        do throws(CommandError) {
            _ = try command(body)
            return nil
        } catch {
            return error.code
        }
    }

    @Test("The top level is read, and the rest stays as it came")
    func reading() throws {
        let session = BSONBinary(subtype: .uuid, bytes: Array(1...16))
        let body: Document = [
            "insert": "items", "documents": [["_id": 1]], "$db": "app", "lsid": ["id": .binary(session)],
            "txnNumber": .int64(5), "autocommit": false, "startTransaction": true, "maxTimeMS": 250,
        ]
        let command = try command(body)
        #expect(command.kind == .insert)
        #expect(command.database == "app")
        #expect(command.sessionID == Array(1...16))
        #expect(command.transactionNumber == 5)
        #expect(command.isInTransaction)
        #expect(command.startsTransaction)
        #expect(command.timeLimit == .milliseconds(250))
        #expect(command.body == body)
    }

    @Test("What is missing or of the wrong type is refused with a server's codes")
    func refusals() {
        #expect(code([:]) == 22)
        #expect(code(["ping": 1]) == 40571)
        #expect(code(["ping": 1, "$db": 5]) == 14)
        #expect(code(["ping": 1, "$db": ""]) == 40571)
        #expect(code(["nonsense": 1, "$db": "a"]) == 59)
        #expect(code(["bulkWrite": 1, "$db": "a"]) == 115)
        #expect(code(["find": "a", "$db": "a", "lsid": 5]) == 14)
        #expect(code(["find": "a", "$db": "a", "txnNumber": .int64(1)]) == 72)
        #expect(code(["find": "a", "$db": "a", "txnNumber": .int32(1)]) == 14)
        #expect(code(["find": "a", "$db": "a", "autocommit": false]) == 72)
        #expect(code(["find": "a", "$db": "a", "maxTimeMS": -1]) == 2)
        #expect(code(["find": "a", "$db": "a", "maxTimeMS": 0]) == nil)
    }

    @Test("Other spellings mean the same command")
    func spellings() {
        #expect(CommandKind(name: "isMaster") == .hello)
        #expect(CommandKind(name: "ismaster") == .hello)
        #expect(CommandKind(name: "findandmodify") == .findAndModify)
        #expect(CommandKind(name: "INSERT") == nil)
    }
}

@Suite("Errors of the engine")
struct EngineErrorTests {
    @Test("A packed number is an SQLSTATE, and that a code")
    func packed() {
        #expect(EngineErrorCodes.sqlState(packed: 319_029_277) == "M001C")
        #expect(EngineErrorCodes.code(inReply: 319_029_277, inTransaction: false) == 11000)
        #expect(EngineErrorCodes.code(inReply: 50_331_677, inTransaction: false) == 9)
        #expect(EngineErrorCodes.code(inReply: 8000, inTransaction: false) == 8000)
        #expect(EngineErrorCodes.name(of: 11000) == "DuplicateKey")
        #expect(EngineErrorCodes.name(of: 4_242_424) == "Location4242424")
        for number in [Int32.min, -1, 0, 1, Int32.max] {
            _ = EngineErrorCodes.code(inReply: number, inTransaction: false)
        }
    }

    @Test("PostgreSQL's own states have their codes")
    func states() {
        let expected: [(String, Int32)] = [
            ("23505", 11000), ("23P01", 11000), ("40001", 112), ("40P01", 112), ("57014", 50), ("42P01", 26),
            ("42501", 13), ("M0008", 26), ("M000U", 115), ("M000E", 43),
        ]
        for (state, code) in expected {
            #expect(EngineErrorCodes.code(ofSQLState: state, inTransaction: false) == code)
        }
        #expect(EngineErrorCodes.code(ofSQLState: "55P03", inTransaction: false) == 24)
        #expect(EngineErrorCodes.code(ofSQLState: "55P03", inTransaction: true) == 112)
        #expect(EngineErrorCodes.code(ofSQLState: "99999", inTransaction: false) == nil)
    }

    @Test("Failures get the code and the labels that drivers act on")
    func failures() {
        let conflict = PersistenceError(.serializationFailure).with { $0.serverCode = "40001" }
        #expect(CommandError(conflict, inTransaction: false).labels == [])
        #expect(CommandError(conflict, inTransaction: true).code == 112)
        #expect(CommandError(conflict, inTransaction: true).labels == ["TransientTransactionError"])
        let timeout = PersistenceError(.timeout).with { $0.timeout = .statement }
        #expect(CommandError(timeout, inTransaction: false).code == 50)
        let lost = CommandError(PersistenceError(.connection), inTransaction: false)
        #expect(lost.code == 6)
        #expect(lost.isOutcomeUnknown)
        #expect(
            !CommandError(PersistenceError(.connection, retrySafety: .safe), inTransaction: false).isOutcomeUnknown)
        #expect(CommandError(CancellationError(), inTransaction: false).code == 11601)
        let document = CommandError(11000, "twice", labels: ["Mine"]).document
        #expect(document["ok"]?.double == 0)
        #expect(document["codeName"]?.string == "DuplicateKey")
        #expect(document["errorLabels"]?.array?.count == 1)
    }
}
