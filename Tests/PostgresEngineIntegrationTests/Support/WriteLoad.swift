import PersistenceCore
import PersistenceTesting
import PostgresEngine
import Testing

/// Tasks that write without end, each row under a key of its own and in every way the engine has, while something
/// happens to the server or the network.
final class WriteLoad: Sendable {
    let ledger = WriteLedger<Int>()
    private let database: PostgresDatabase
    private let table: PostgresIdentifier
    private let isDone = Shared(false)
    private let tasks: Shared<[Task<Void, Never>]> = Shared([])
    private let workers: Int

    /// The columns of the table that is written to.
    static let columns = "n bigint NOT NULL, note text"

    /// Begins to write.
    ///
    /// - Parameters:
    ///   - database: Where to.
    ///   - table: A table with ``columns``.
    ///   - workers: How many tasks write at the same time.
    init(on database: PostgresDatabase, _ table: PostgresIdentifier, workers: Int = 8) {
        self.database = database
        self.table = table
        self.workers = workers
        let begun = (0..<workers).map { number in
            Task { [self] in
                var key = number
                while !isDone.value {
                    await write(key)
                    key += workers
                }
            }
        }
        tasks.change { $0 = begun }
    }

    private func write(_ key: Int) async {
        let failure = await ledger.write(key) {
            switch key / workers % 5 {
            case 0:
                try await database.withTransaction { transaction in
                    _ = try await transaction.execute("INSERT INTO \(table) VALUES (\(key), 'transaction')")
                }
            case 1:
                try await database.execute("INSERT INTO \(table) VALUES (\(key), 'alone')")
            case 2:
                try await database.withTransaction { transaction in
                    _ = try await transaction.execute("INSERT INTO \(table) VALUES (\(key), 'pipelined')")
                    _ = try await transaction.commit(AddNumbers(left: 1, right: 2))
                }
            case 3:
                try await database.withTransaction(.repeatableRead.tenant("acme")) { transaction in
                    try await transaction.withSavepoint { savepoint in
                        _ = try await savepoint.execute("INSERT INTO \(table) VALUES (\(key), 'savepoint')")
                    }
                }
            default:
                try await database.copyIn([CopiedRow(key: Int64(key))], into: table)
            }
        }
        // A server that is down answers at once, and asking it again and again would only keep the machine busy.
        if failure != nil { try? await Task.sleep(for: .milliseconds(1)) }
        // The database has gone, with a test that failed or by its own will.
        if (failure as? PersistenceError)?.code == .poolClosed { isDone.change { $0 = true } }
    }

    /// Waits until more writes have been acknowledged.
    func untilMore(
        _ count: Int, _ what: Comment = "work goes on", sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let before = ledger.count(.acknowledged)
        try await eventually(what, sourceLocation: sourceLocation) { ledger.count(.acknowledged) >= before + count }
    }

    /// Stops writing, and waits for the writes that have begun.
    func stop() async {
        isDone.change { $0 = true }
        for task in tasks.value { await task.value }
    }

    /// Stops writing and compares what callers were told with what is there.
    ///
    /// - Parameters:
    ///   - observer: Looks at the table.
    ///   - codes: The errors that callers may have heard.
    func check(
        with observer: PostgresDatabase, allowing codes: Set<PersistenceError.Code>,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        await stop()
        let audit = ledger.audit(of: try await observer.all("SELECT n FROM \(table)", as: Int.self))
        #expect(audit.isClean, "\(audit)", sourceLocation: sourceLocation)
        #expect(ledger.count(.acknowledged) > 0, sourceLocation: sourceLocation)
        let heard = Set(ledger.codes.keys)
        #expect(heard.isSubset(of: codes), "\(ledger.codes)", sourceLocation: sourceLocation)
    }
}

private struct CopiedRow: PostgresCopyEncodable {
    static let columns = ["n", "note"]
    var key: Int64

    func encode(to writer: inout PostgresCopyWriter) throws(PersistenceError) {
        try writer.append(key)
        try writer.append("copied")
    }
}
