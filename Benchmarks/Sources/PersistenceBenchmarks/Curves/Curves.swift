import BenchmarkSupport
import CBaseline
import PersistenceCore
import PostgresEngine

/// Cost as work grows.
struct Curves {
    var url: String
    private(set) var curves: [Curve] = []
    private(set) var figures: [Figure] = []

    init(url: String) {
        self.url = url
    }

    mutating func measure() async throws {
        progress("rows per result")
        try measureRows()
        progress("concurrent tasks")
        try await measureTasks()
        progress("parameters")
        try await measureParameters()
        progress("size of a value")
        try measureValues()
        progress("distinct statements")
        try await measureStatements()
    }

    private mutating func check(_ name: String, _ value: Double, _ unit: String) {
        figures.append(Figure(name: name, value: value, unit: unit, target: Targets.all[name]))
    }

    // MARK: Rows

    private mutating func measureRows() throws {
        var collected = Curve.Series("collected into an array")
        var streamed = Curve.Series("streamed")
        var collectedMemory = collected
        var streamedMemory = streamed
        for rows in [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000] {
            for probe in [Probe.collect, .stream] {
                let result = try probe.measure(rows, url: url)
                if let refusal = result.refusal { throw Failure(description: "\(rows) rows: \(refusal)") }
                if probe == .collect {
                    collected.add(Double(rows), result.seconds)
                    collectedMemory.add(Double(rows), result.memory / 1e6)
                } else {
                    streamed.add(Double(rows), result.seconds)
                    streamedMemory.add(Double(rows), result.memory / 1e6)
                }
            }
        }
        curves.append(
            Curve(
                id: "rows-time", title: "Time for a result", x: .init(label: "rows of 8 columns"),
                y: .init(label: "seconds"), series: [collected, streamed]))
        curves.append(
            Curve(
                id: "rows-memory", title: "Memory for a result", x: .init(label: "rows of 8 columns"),
                y: .init(label: "MB above the program's own"), series: [collectedMemory, streamedMemory]))
        for (name, series) in [(Figure.collectedTime, collected), (Figure.streamedTime, streamed)] {
            check(name, try series.value(at: 1_000_000) / (1_000 * (try series.value(at: 1_000))), "ratio")
        }
        check(Figure.streamedMemory, try streamedMemory.value(at: 1_000_000), "MB")
    }

    // MARK: Tasks

    private mutating func measureTasks() async throws {
        var throughput = [Curve.Series("library's executor"), Curve.Series("global pool")]
        var fairness = throughput
        for tasks in [1, 4, 16, 64, 256, 1_000, 4_000, 10_000] {
            for (index, onExecutor) in [true, false].enumerated() {
                let crowd = try await Crowd(url: url, tasks: tasks).run(onExecutor: onExecutor)
                throughput[index].add(Double(tasks), crowd.operationsPerSecond)
                fairness[index].add(Double(tasks), crowd.slowestOfMedian)
            }
        }
        curves.append(
            Curve(
                id: "tasks-throughput", title: "W1 on 16 connections", x: .init(label: "tasks"),
                y: .init(label: "operations per second", isLogarithmic: false), series: throughput))
        curves.append(
            Curve(
                id: "tasks-fairness", title: "Fairness: tasks with equal shares of the work", x: .init(label: "tasks"),
                y: .init(label: "time of the slowest task, of the median's", isLogarithmic: false), series: fairness))
        check(
            Figure.crowdThroughput, try throughput[0].value(at: 10_000) / (try throughput[0].value(at: 16)), "ratio")
        check(Figure.crowdFairness, fairness.flatMap(\.points).map { $0[1] }.max() ?? 0, "ratio")
    }

    // MARK: Parameters

    private mutating func measureParameters() async throws {
        var first = Curve.Series("first time, with preparing")
        var again = Curve.Series("prepared")
        var notes: [String] = []
        try await PostgresDatabase.with(Micro(url: url, seconds: 0).configuration) { database in
            // Connected before the first statement is timed.
            try await database.execute("SELECT 1")
            for count in [1, 10, 100, 1_000, 10_000, 65_535] {
                let statement = try Self.statement(parameters: count)
                var times: [Double] = []
                for _ in 0..<6 {
                    let started = baseline_now()
                    let found = try await database.one(statement, as: Int.self)
                    times.append(baseline_now() - started)
                    guard found == count else { throw Failure(description: "\(found) of \(count) parameters") }
                }
                first.add(Double(count), times[0])
                again.add(Double(count), median(Array(times.dropFirst())))
            }
            do {
                _ = try await database.one(try Self.statement(parameters: 65_536), as: Int.self)
                throw Failure(description: "65,536 parameters were not refused")
            } catch let error as PersistenceError {
                notes.append("65,536 parameters are refused before anything is sent: \(error.code), \(error.summary)")
            }
        }
        curves.append(
            Curve(
                id: "parameters", title: "Time for a statement", x: .init(label: "parameters"),
                y: .init(label: "seconds"), series: [first, again], notes: notes))
        check(
            Figure.parameterTime, try again.value(at: 65_535) / 65_535 / (try again.value(at: 1_000) / 1_000), "ratio")
    }

    private static func statement(parameters count: Int) throws -> PostgresStatement {
        var parameters = PostgresParameters()
        for value in 1...Int64(count) { try parameters.append(value) }
        let list = (1...count).map { "$\($0)" }.joined(separator: ",")
        return PostgresStatement(sql: "SELECT cardinality(ARRAY[\(list)])", parameters: parameters)
    }

    // MARK: Values

    private mutating func measureValues() throws {
        var series: [Curve.Series] = []
        var notes: [String] = []
        for (probe, name) in [(Probe.send, "sent as a parameter"), (.receive, "received in a row")] {
            var times = Curve.Series(name)
            for size in [1 << 10, 32 << 10, 1 << 20, 32 << 20, 256 << 20, 1 << 30] {
                let result = try probe.measure(size, url: url)
                if let refusal = result.refusal {
                    notes.append("\(name), \(size >> 20) MiB are refused: \(refusal)")
                } else {
                    times.add(Double(size), result.seconds)
                }
            }
            series.append(times)
        }
        curves.append(
            Curve(
                id: "values", title: "Time for one value (bytea)", x: .init(label: "bytes"),
                y: .init(label: "seconds"), series: series, notes: notes))
    }

    // MARK: Statements

    private mutating func measureStatements() async throws {
        var inTurn = Curve.Series("1,000 statements in turn")
        var skewed = Curve.Series("9 of 10 from 50 statements")
        let caches = [0, 10, 100, 300, 1_000]
        for cache in caches {
            var configuration = try Micro(url: url, seconds: 0).configuration
            configuration.statementCacheSize = cache
            let measured = try await PostgresDatabase.with(configuration) { database in
                try await StatementMix(database: database).run()
            }
            inTurn.add(Double(cache), measured.inTurn)
            skewed.add(Double(cache), measured.skewed)
            if cache == 100 { check(Figure.preparedStatements, Double(measured.prepared), "statements") }
        }
        curves.append(
            Curve(
                id: "statements", title: "1,000 distinct statements on one connection",
                x: .init(label: "statements that the cache holds", isLogarithmic: false),
                y: .init(label: "operations per second", isLogarithmic: false), series: [inTurn, skewed]))
    }
}
