import BenchmarkSupport

/// Every target, in one place, by the figure's name.
enum Targets {
    static let all: [String: Target] = {
        var all: [String: Target] = [:]
        func set(_ comparison: String, _ contender: String, throughput: Double?, cpu: Double? = nil) {
            if let throughput { all[Figure.throughput(comparison, contender)] = .atLeast(throughput) }
            if let cpu { all[Figure.cpu(comparison, contender)] = .atMost(cpu) }
        }
        // What is true of a query must be true of a repository.
        for name in [Name.executor, Name.repository] {
            set("W1×1", name, throughput: 0.90, cpu: 1.25)
            set("W1×16", name, throughput: 1.0, cpu: 0.75)
            set("W1×64", name, throughput: 1.3, cpu: 0.65)
        }
        set("W1×1", Name.globalPool, throughput: 0.70)
        set("W1×16", Name.globalPool, throughput: 0.85)
        set("W1×64", Name.globalPool, throughput: 1.0)
        set("W1×16 shared", Name.executor, throughput: 1.4, cpu: 0.6)
        set("W1×16 shared", Name.globalPool, throughput: 0.9)
        set("W1×64 shared", Name.executor, throughput: 2.4, cpu: 0.4)
        set("W1×64 shared", Name.globalPool, throughput: 1.7)
        for name in [Name.executor, Name.globalPool] {
            set("W2×1", name, throughput: 0.95, cpu: 1.2)
            set("W2×8", name, throughput: 0.9, cpu: 1.4)
        }
        // From 0.85 for the plain transaction to 0.4 for two flights, in equal steps.
        set("W4×8", Name.plain, throughput: 0.95, cpu: 0.85)
        set("W4×8", Name.plainGlobalPool, throughput: 0.75)
        set("W4×8", Name.fused, throughput: 1.15, cpu: 0.70)
        set("W4×8", Name.threeFlights, throughput: 1.4, cpu: 0.55)
        set("W4×8", Name.twoFlights, throughput: 1.7, cpu: 0.40)
        all[Figure.ofPsqlBinary] = .atLeast(1.15)
        all[Figure.copyCPU] = .atMost(0.02)
        all[Figure.traced] = .atLeast(0.85)
        all[Figure.pool] = .atMost(30)
        all[Figure.decoding] = .atMost(200)
        all[Figure.rowAllocations] = .atMost(2)
        all[Figure.operationAllocations] = .atMost(6)
        // Linear and flat, with room for what a machine does beside.
        all[Figure.collectedTime] = .atMost(1.5)
        all[Figure.streamedTime] = .atMost(1.5)
        all[Figure.streamedMemory] = .atMost(16)
        all[Figure.crowdThroughput] = .atLeast(0.8)
        all[Figure.crowdFairness] = .atMost(3)
        all[Figure.parameterTime] = .atMost(1.5)
        all[Figure.preparedStatements] = .atMost(100)
        return all
    }()
}
