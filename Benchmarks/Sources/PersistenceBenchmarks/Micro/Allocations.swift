import BenchmarkSupport
import CBaseline
import Foundation
import PersistenceCore
import PostgresEngine

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// How many blocks of memory an operation asks for, counted in a process of its own into which the counter is preloaded.
struct Allocations: Codable {
    var operation: Double
    var operationInC: Double
    var row: Double
    var rowInC: Double

    /// Starts this program again with the counter; `nil` where it cannot be preloaded.
    static func counted(url: String) throws -> Allocations? {
        let folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        let library = folder.appendingPathComponent("libAllocationCounter.so")
        guard FileManager.default.fileExists(atPath: library.path) else { return nil }
        return try Child.again(
            ["--count-allocations"], environment: ["LD_PRELOAD": library.path, "POSTGRES_URL": url],
            as: Allocations.self)
    }

    /// In the process with the counter.
    @concurrent
    static func count(url: String) async throws -> Allocations {
        guard let symbol = dlsym(nil, "allocation_counter_count") else {
            throw Failure(description: "the counter is not preloaded")
        }
        let counter = unsafeBitCast(symbol, to: (@Sendable @convention(c) () -> UInt64).self)
        let operations = 10_000
        return try await PostgresDatabase.with(Micro(url: url, seconds: 0).configuration) { database in
            let operation = try await Task(executorPreference: database.executor) {
                try await read(database, times: 1_000)
                let before = counter()
                try await read(database, times: operations)
                return Double(counter() - before) / Double(operations)
            }.value
            let result = try await database.result(of: Micro.rows)
            try Micro.decode(result)
            let beforeRows = counter()
            for _ in 0..<10 { try Micro.decode(result) }
            let row = Double(counter() - beforeRows) / 10 / Double(Schema.readMany)

            let c = try BaselineSession(url: url, workload: BASELINE_READ_ONE)
            try c.operate(1_000)
            let beforeC = counter()
            try c.operate(operations)
            let operationInC = Double(counter() - beforeC) / Double(operations)
            try c.fetch()
            let beforeRowsInC = counter()
            for _ in 0..<10 { try c.decode() }
            let rowInC = Double(counter() - beforeRowsInC) / 10 / Double(Schema.readMany)
            return Allocations(operation: operation, operationInC: operationInC, row: row, rowInC: rowInC)
        }
    }

    private static func read(_ database: PostgresDatabase, times: Int) async throws {
        for id in 1...Int64(times) {
            guard try await database.run(GetItem(id: id))?.id == id else {
                throw Failure(description: "row \(id) is missing")
            }
        }
    }
}
