import BenchmarkSupport

extension Run {
    mutating func measureMicro(url: String) async throws {
        progress("pool, decoding, allocations")
        let micro = Micro(url: url, seconds: max(plan.seconds, 0.5))
        report.add(Figure.pool, try await micro.pool(onExecutor: true), "ns")
        report.add(Figure.poolGlobal, try await micro.pool(onExecutor: false), "ns")
        let decoding = try await micro.decoding()
        report.add(Figure.decoding, decoding.engine, "ns")
        report.add(Figure.decodingInC, decoding.c, "ns")
        if let counted = try Allocations.counted(url: url) {
            report.add(Figure.operationAllocations, counted.operation, "blocks")
            report.add(Figure.operationAllocationsInC, counted.operationInC, "blocks")
            report.add(Figure.rowAllocations, counted.row, "blocks")
            report.add(Figure.rowAllocationsInC, counted.rowInC, "blocks")
        }
    }
}
