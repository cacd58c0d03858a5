import PersistenceCore
import PersistenceTesting
import PostgresEngine
import Synchronization

/// Tasks that write and read through the pools, in every way the engine has.
final class Load: Sendable {
    /// What the tasks have done.
    struct Counts: Sendable {
        var operations = 0
        var writes = 0
        var codes: [PersistenceError.Code: Int] = [:]
        var longest = Duration.zero
        /// When the latest operation began that succeeded, by the pool's name.
        var latest: [String: ContinuousClock.Instant] = [:]
        /// The latest error, by the pool's name.
        var failure: [String: String] = [:]
    }

    /// How long an operation may take.
    static let limit = Duration.seconds(3)
    /// What it may take longer than that: the grace for cancelling, and a machine that is busy with starting servers.
    static let allowance = Duration.seconds(15)
    private static let expected: Set<PersistenceError.Code> = [
        .connection, .unavailable, .commitUnknown, .timeout, .cancelled, .readOnly, .poolClosed, .tooManyConnections,
    ]

    let ledger = WriteLedger<Int>()
    private let pools: [ServicePool]
    private let violations: Violations
    private let counts = Mutex(Counts())
    private let nextKey = Atomic(0)
    private let isDone = Atomic(false)
    private let running = Atomic(0)

    init(on pools: [ServicePool], _ violations: Violations) {
        self.pools = pools
        self.violations = violations
    }

    var totals: Counts { counts.withLock { $0 } }
    var isRunning: Bool { running.load(ordering: .relaxed) > 0 }

    func start(workers: Int, seed: UInt64) {
        isDone.store(false, ordering: .relaxed)
        for (place, pool) in pools.enumerated() {
            for worker in 0..<workers {
                running.wrappingAdd(1, ordering: .relaxed)
                Task {
                    var random = SeededGenerator(seed &+ UInt64(place * 1000 + worker))
                    while !isDone.load(ordering: .relaxed) { await work(pool, &random) }
                    running.wrappingSubtract(1, ordering: .relaxed)
                }
            }
        }
    }

    /// Asks the tasks to end; ``isRunning`` tells when they have.
    func stop() {
        isDone.store(true, ordering: .relaxed)
    }

    private func work(_ pool: ServicePool, _ random: inout SeededGenerator) async {
        let start = ContinuousClock.now
        let database = pool.database
        let failure: (any Error)?
        let choice = Int.random(in: 0..<100, using: &random)
        let way = Int.random(in: 0..<6, using: &random)
        let patience = Int.random(in: 0..<20, using: &random)
        switch choice {
        case 0..<50: failure = await write(to: database, way)
        case 50..<60:
            let task = Task { await write(to: database, way) }
            try? await Task.sleep(for: .milliseconds(patience))
            task.cancel()
            failure = await task.value
        case 60..<65:
            failure = await write(to: database, way, within: .milliseconds(1 + patience))
        default:
            do {
                try await withDeadline(Self.limit) { try await read(from: database, way) }
                failure = nil
            } catch {
                failure = error
            }
        }
        note(failure, pool, since: start)
        // A server that is down answers at once; asking it again and again would only keep the machine busy.
        if failure != nil { try? await Task.sleep(for: .milliseconds(2)) }
    }

    private func note(_ failure: (any Error)?, _ pool: ServicePool, since start: ContinuousClock.Instant) {
        let took = start.duration(to: .now)
        let code = (failure as? PersistenceError)?.code
        counts.withLock { counts in
            counts.operations += 1
            counts.longest = max(counts.longest, took)
            if let code { counts.codes[code, default: 0] += 1 }
            if let failure = failure as? PersistenceError { counts.failure[pool.name] = failure.debugDescription }
            if failure == nil { counts.latest[pool.name] = max(counts.latest[pool.name] ?? start, start) }
        }
        if took > Self.limit + Self.allowance { violations.add("\(pool.name): an operation took \(took)") }
        if let failure, !Self.expected.contains(code ?? .internal) {
            violations.add("\(pool.name): unexpected: \(failure)")
        }
    }

    // MARK: Writing

    private func write(
        to database: PostgresDatabase, _ way: Int, within limit: Duration = Load.limit
    ) async -> (any Error)? {
        let key = nextKey.wrappingAdd(1, ordering: .relaxed).newValue
        counts.withLock { $0.writes += 1 }
        return await ledger.write(key) {
            try await withDeadline(limit) { try await insert(key, way, database) }
        }
    }

    private func insert(_ key: Int, _ way: Int, _ database: PostgresDatabase) async throws {
        switch way {
        case 0:
            try await database.execute("INSERT INTO written (n, note) VALUES (\(key), 'alone')")
        case 1:
            try await database.withTransaction { transaction in
                _ = try await transaction.execute("INSERT INTO written (n, note) VALUES (\(key), 'transaction')")
            }
        case 2:
            try await database.withTransaction { transaction in
                _ = try await transaction.commit(Insert(key: Int64(key)))
            }
        case 3:
            try await database.withTransaction(.repeatableRead.tenant("soak")) { transaction in
                try await transaction.withSavepoint { savepoint in
                    _ = try await savepoint.run(Insert(key: Int64(key)))
                }
                _ = try await transaction.one("SELECT count(*) FROM written WHERE n = \(key)", as: Int.self)
            }
        case 4:
            try await database.copyIn([Row(key: Int64(key))], into: try PostgresIdentifier("written"))
        default:
            // Tried again as the policy allows, which must not do it twice.
            try await database.withTransaction(PostgresTransactionOptions().retrying()) { transaction in
                _ = try await transaction.run(Insert(key: Int64(key)))
            }
        }
    }

    // MARK: Reading

    private func read(from database: PostgresDatabase, _ way: Int) async throws {
        let number = nextKey.load(ordering: .relaxed)
        switch way {
        case 0, 1:
            let answer = try await database.one("SELECT \(number)", as: Int.self)
            if answer != number { violations.add("asked for \(number), and got \(answer)") }
        case 2:
            let answers = try await database.batch((0..<10).map { Echo(value: Int64(number + $0)) })
            if answers != (0..<10).map({ Int64(number + $0) }) { violations.add("a batch got \(answers)") }
        case 3:
            try await database.withTransaction(.readOnly) { transaction in
                var sum = 0
                for try await value in transaction.stream("SELECT generate_series(1, 2000)", as: Int32.self) {
                    sum += Int(value)
                }
                if sum != 2_001_000 { violations.add("a stream summed up to \(sum)") }
            }
        case 4:
            // Its columns change under it.
            _ = try await database.result(of: "SELECT * FROM written LIMIT 3").count
        default:
            try await database.execute("SELECT pg_sleep(0.02)")
        }
    }
}

private struct Row: PostgresCopyEncodable {
    static let columns = ["n", "note"]
    var key: Int64

    func encode(to writer: inout PostgresCopyWriter) throws(PersistenceError) {
        try writer.append(key)
        try writer.append("copied")
    }
}

private struct Insert: PostgresRowQuery {
    static let name = "Insert"
    static let command = "INSERT"
    static let sql = "INSERT INTO written (n, note) VALUES ($1, 'query') RETURNING n"
    var key: Int64

    func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
        try parameters.append(key)
    }

    static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> Int64 {
        try row.decode(0)
    }
}

private struct Echo: PostgresRowQuery {
    static let name = "Echo"
    static let command = "SELECT"
    static let sql = "SELECT $1::bigint"
    var value: Int64

    func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
        try parameters.append(value)
    }

    static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> Int64 {
        try row.decode(0)
    }
}

/// Numbers that are the same in every run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
