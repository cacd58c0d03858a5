import PersistenceCore
import PostgresEngine
import Synchronization
import Testing

/// What comes of servers that break the protocol, through libpq: a typed error or the right answer, in time, and a next
/// statement that does not suffer from it.
@Suite("A hostile server")
struct HostileServerTests {
    private static let lie: PostgresStatement = "SELECT lie"
    private static let truth: PostgresStatement = "SELECT truth"

    /// Lends a database whose server answers with `answers`.
    private static func with<Result>(
        _ change: (inout PostgresConfiguration) -> Void = { _ in },
        answering answers: @escaping @Sendable (_ connection: Int, _ text: String) -> ProtocolAnswers,
        _ body: (PostgresDatabase, HostileServer) async throws -> Result
    ) async throws -> Result {
        let server = try HostileServer { conversation in
            let number = conversation.number
            conversation.serve { answers(number, $0) }
        }
        defer { server.stop() }
        var configuration = try server.configuration()
        change(&configuration)
        return try await PostgresDatabase.with(configuration) { (database) async throws in
            try await body(database, server)
        }
    }

    @Test("a lie ends in an error or in the truth, and does not outlive its statement", arguments: ProtocolLie.all)
    func lies(_ lie: ProtocolLie) async throws {
        let modes: [PostgresConfiguration.StatementMode] = [.prepared, .unnamed]
        for mode in modes {
            try await Self.with({ $0.statementMode = mode }) { _, text in
                text.contains("lie") ? lie.answers : .honest(text)
            } _: { (database, _) async throws in
                for _ in 0..<2 {
                    // A connection is there before the time counts.
                    #expect(try await database.one(Self.truth, as: Int32.self) == 7)
                    do {
                        let rows = try await withDeadline(lie.limit) {
                            try await database.all(Self.lie, as: Int32.self)
                        }
                        #expect(lie.outcome != .error && rows.allSatisfy { $0 == 7 }, "\(mode): \(rows)")
                    } catch let error as PersistenceError {
                        #expect(lie.outcome != .seven, "\(mode): \(error)")
                    }
                    #expect(try await database.one(Self.truth, as: Int32.self) == 7)
                }
            }
        }
    }

    @Test("a command whose answer is a lie is not reported as done", arguments: ProtocolLie.all)
    func commands(_ lie: ProtocolLie) async throws {
        guard lie.outcome == .error, !lie.isTrueOfCommands else { return }
        try await Self.with { _, text in
            text.contains("lie") ? lie.answers : .honest(text)
        } _: { (database, _) async throws in
            #expect(try await database.one(Self.truth, as: Int32.self) == 7)
            await #expect(throws: PersistenceError.self) {
                try await withDeadline(lie.limit) { try await database.execute(Self.lie) }
            }
            #expect(try await database.one(Self.truth, as: Int32.self) == 7)
        }
    }

    @Test("a lie in a pipeline or on a shared connection is an error or the truth", arguments: ProtocolLie.all)
    func pipelines(_ lie: ProtocolLie) async throws {
        try await Self.with { _, text in
            text == AddNumbers.sql ? lie.answers : .honest(text)
        } _: { (database, _) async throws in
            #expect(try await database.one(Self.truth, as: Int32.self) == 7)
            do {
                // What is added is an int8, and seven an int4: reading either is right.
                let (left, right) = try await withDeadline(lie.limit) {
                    try await database.pipeline(AddNumbers(left: 3, right: 4), AddNumbers(left: 3, right: 4))
                }
                #expect(lie.outcome != .error && left == 7 && right == 7)
            } catch let error as PersistenceError {
                #expect(lie.outcome != .seven, "\(error)")
            }
            #expect(try await database.one(Self.truth, as: Int32.self) == 7)
        }
    }

    @Test("what the server answers to COMMIT decides, and what it does not answer is unknown")
    func commits() async throws {
        typealias Message = ProtocolMessage
        let cases: [(String, PersistenceError.Code?, @Sendable (inout ProtocolAnswers) -> Void)] = [
            ("COMMIT", nil, { _ in }),
            ("nothing, and the end", .commitUnknown, { ($0.execute, $0.closesAfterExecute) = ([], true) }),
            (
                "nothing at all", .commitUnknown,
                { $0 = .init(parse: [], bind: [], describe: [], execute: [], sync: []) }
            ),
            ("ReadyForQuery alone", .commitUnknown, { $0.execute = [] }),
            ("half of its tag", .commitUnknown, { ($0.execute, $0.closesAfterExecute) = ([0x43, 0, 0], true) }),
            ("an absurd tag", .commitUnknown, { $0.execute = Message.commandComplete("INSERT 0 1") }),
            ("an empty tag", .commitUnknown, { $0.execute = Message.commandComplete("") }),
            ("an error without fields", .commitUnknown, { $0.execute = Message.error([]) }),
            ("noise", .commitUnknown, { $0.execute = [UInt8](repeating: 0x7F, count: 500) }),
            ("rows", .commitUnknown, { $0 = ProtocolAnswers() }),
            ("ROLLBACK", .transactionAborted, { $0.execute = Message.commandComplete("ROLLBACK") }),
        ]
        for (name, expected, change) in cases {
            try await Self.with({ $0.statementTimeout = .seconds(3) }) { _, text in
                var answers = ProtocolAnswers.honest(text)
                if text == "COMMIT" { change(&answers) }
                return answers
            } _: { (database, _) async throws in
                do {
                    let seven = try await database.withTransaction { transaction in
                        try await transaction.one(Self.truth, as: Int32.self)
                    }
                    #expect(expected == nil && seven == 7, "\(name)")
                } catch let error as PersistenceError {
                    #expect(error.code == expected, "\(name): \(error)")
                }
                #expect(try await database.one(Self.truth, as: Int32.self) == 7, "\(name)")
            }
        }
    }

    @Test("what ends the session before COMMIT is the last word of a server, and none of a pooler's")
    func endsBeforeCommit() async throws {
        typealias Message = ProtocolMessage
        let end: [(Character, String)] = [("S", "FATAL"), ("V", "FATAL"), ("M", "bye")]
        let source: [(Character, String)] = [("F", "postgres.c"), ("L", "3000"), ("R", "ProcessInterrupts")]
        let cases: [([(Character, String)], PersistenceError.Code, PersistenceError.RetrySafety)] = [
            (end + source + [("C", "57P01")], .unavailable, .safe),
            (end + [("C", "08P01")], .commitUnknown, .unknown),
            (end + [("C", "57P01")], .commitUnknown, .unknown),
        ]
        for (fields, code, retrySafety) in cases {
            for place in ["BEGIN", AddNumbers.sql] {
                try await Self.with { _, text in
                    var answers = ProtocolAnswers.honest(text)
                    if text == place { (answers.execute, answers.closesAfterExecute) = (Message.error(fields), true) }
                    return answers
                } _: { (database, _) async throws in
                    let error = try await failure {
                        try await database.withTransaction { transaction in
                            _ = try await transaction.commit(AddNumbers(left: 3, right: 4))
                        }
                    }
                    #expect(error.code == code, "\(fields) for \(place): \(error)")
                    #expect(error.retrySafety == retrySafety, "\(fields) for \(place): \(error)")
                }
            }
        }
    }

    @Test("what comes without end ends with the statement's time")
    func floods() async throws {
        typealias Message = ProtocolMessage
        let floods: [[UInt8]] = [
            Message.notice("again"), Message.parameterStatus("application_name", "again"),
            Message.notification(channel: "c", payload: "again"), Message.readyForQuery("T"),
            Message.commandComplete("SELECT 1"), Message.error([("C", "22012"), ("M", "again")]),
        ]
        for flood in floods {
            try await Self.with { _, text in
                var answers = ProtocolAnswers.honest(text)
                if text.contains("lie") { answers.flood = Array(repeatElement(flood, count: 100).joined()) }
                return answers
            } _: { (database, _) async throws in
                #expect(try await database.one(Self.truth, as: Int32.self) == 7)
                do {
                    let seven = try await withDeadline(.milliseconds(500)) {
                        try await database.one(Self.lie, as: Int32.self)
                    }
                    #expect(seven == 7)
                } catch {
                    #expect(error is PersistenceError)
                }
                #expect(try await database.one(Self.truth, as: Int32.self) == 7)
            }
        }
    }

    @Test("a server that lies while it greets is refused in time")
    func greetings() async throws {
        typealias Message = ProtocolMessage
        let greetings: [(String, [UInt8])] = [
            ("nothing", []), ("noise", [UInt8](repeating: 0x41, count: 9_000)),
            ("zeros", [UInt8](repeating: 0, count: 99)),
            ("an unknown kind of authentication", Message.make("R", Message.number(99 as Int32))),
            ("SASL without mechanisms", Message.make("R", Message.number(10 as Int32))),
            ("SASL with an unknown one", Message.make("R", Message.number(10 as Int32) + Message.text("X") + [0])),
            ("GSS continuing", Message.make("R", Message.number(8 as Int32))),
            ("MD5 without its salt", Message.make("R", Message.number(5 as Int32))),
            ("a length of two gigabytes", Message.make("R", [0, 0, 0, 0], length: .max)),
            ("an error without fields", Message.error([])),
            ("an error of protocol version 2", Array("Eno\0".utf8)),
            (
                "a server without protocol version 3",
                Message.make("v", Message.number(0 as Int32) + Message.number(0 as Int32))
            ),
            ("no ReadyForQuery", Message.authenticationOK),
            ("a key without its numbers", Message.authenticationOK + Message.make("K", [0]) + Message.readyForQuery()),
            ("rows", Message.authenticationOK + Message.rowDescription() + Message.seven),
        ]
        for (name, greeting) in greetings {
            let server = try HostileServer { conversation in
                conversation.send(greeting)
                conversation.waitForEnd()
            }
            defer { server.stop() }
            var configuration = try server.configuration()
            configuration.connectTimeout = .milliseconds(300)
            configuration.pool.acquireTimeout = .seconds(2)
            configuration.password = Secret("hunter2secret")
            try await PostgresDatabase.with(configuration) { (database) async throws in
                let error = try await failure { _ = try await database.one(Self.truth, as: Int32.self) }
                #expect(!"\(error)".contains("hunter2secret"), "\(name): \(error)")
            }
        }
    }

    @Test("a server that asks for the work of minutes holds up neither the deadline nor other connections")
    func scramIterations() async throws {
        typealias Message = ProtocolMessage
        let hasAnswered = Atomic<Bool>(false)
        let server = try HostileServer { conversation in
            guard conversation.number > 1 else { return conversation.serve { ProtocolAnswers.honest($0) } }
            conversation.send(Message.make("R", Message.number(10 as Int32) + Message.text("SCRAM-SHA-256") + [0]))
            guard let (_, first) = conversation.readMessage(),
                let nonce = String(decoding: first, as: UTF8.self).split(separator: ",r=").last
            else { return }
            let challenge = "r=\(nonce)x,s=c2FsdHNhbHQ=,i=4000000"
            conversation.send(Message.make("R", Message.number(11 as Int32) + challenge.utf8))
            if conversation.readMessage() != nil { hasAnswered.store(true, ordering: .sequentiallyConsistent) }
        }
        defer { server.stop() }
        var configuration = try server.configuration()
        configuration.pool.maximum = 2
        configuration.password = Secret("hunter2secret")
        try await PostgresDatabase.with(configuration) { (database) async throws in
            try await database.withConnection { (first) async throws in
                _ = try await failure {
                    try await withDeadline(.milliseconds(500)) { try await database.withConnection { _ in } }
                }
                // The work is not done yet, and the reactor answers all the same.
                #expect(try await first.one(Self.truth, as: Int32.self) == 7)
                let isDone = hasAnswered.load(ordering: .sequentiallyConsistent)
                #expect(!isDone)
            }
        }
    }

    @Test("text that is not UTF-8 is refused, wherever it comes from")
    func invalidText() async throws {
        typealias Message = ProtocolMessage
        let texts: [[UInt8]] = [
            [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0x61, 0xE2, 0x82],
        ]
        for text in texts {
            try await Self.with { _, statement in
                guard statement.contains("lie") else { return .honest(statement) }
                return ProtocolAnswers(
                    describe: Message.rowDescription(type: 25, size: -1),
                    execute: Message.dataRow([text]) + Message.commandComplete("SELECT 1"))
            } _: { (database, _) async throws in
                let error = try await failure { _ = try await database.one(Self.lie, as: String.self) }
                #expect(error.code == .decoding)
                #expect(error.column == "n")
                #expect(try await database.one(Self.truth, as: Int32.self) == 7)
            }
        }
    }

    @Test("a connection whose settings cannot be taken back is not handed on")
    func reset() async throws {
        let server = try HostileServer { conversation in
            guard conversation.number == 1 else { return conversation.serve { ProtocolAnswers.honest($0) } }
            // Honest until the pool resets the session, which it never answers.
            conversation.serve { text in
                var answers = ProtocolAnswers.honest(text)
                if text.hasPrefix("SET") { answers.execute = ProtocolMessage.commandComplete("SET") }
                if text.hasPrefix("SET") { answers.describe = ProtocolMessage.noData }
                return answers
            } script: {
                []
            }
        }
        defer { server.stop() }
        var configuration = try server.configuration()
        configuration.statementTimeout = .seconds(2)
        try await PostgresDatabase.with(configuration) { (database) async throws in
            try await database.execute("SET work_mem = '1GB'")
            #expect(try await database.one(Self.truth, as: Int32.self) == 7)
            #expect(server.connections == 2)
        }
    }
}

extension ProtocolLie {
    /// Whether only the rows are false, at which a command does not look.
    fileprivate var isTrueOfCommands: Bool {
        testDescription.contains("integer of") || testDescription.contains("length -2")
            || testDescription.contains("NULL") || testDescription.contains("type")
            || testDescription.contains("format") || testDescription == "no columns"
            || testDescription == "two columns of one name" || testDescription == "no description, said so"
    }
}
