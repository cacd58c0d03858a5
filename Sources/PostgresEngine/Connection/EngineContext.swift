internal import PersistenceCore

/// What every operation of a database shares.
final class EngineContext: Sendable {
    let instrumentation: Instrumentation
    let target: DatabaseTarget
    let usesUnnamedStatements: Bool
    /// In nanoseconds; 0 is without limit.
    let statementTimeout: UInt64

    init(configuration: PostgresConfiguration, instrumentation: Instrumentation) {
        self.instrumentation = instrumentation
        self.target = configuration.instrumentationTarget
        self.usesUnnamedStatements =
            configuration.statementMode == .unnamed || configuration.statementCacheSize == 0
        self.statementTimeout = configuration.statementTimeout.map(\.wholeNanoseconds) ?? 0
    }

    /// When the operation that begins now must end, on the monotonic clock in nanoseconds; 0 is never.
    var deadline: UInt64 {
        var limit = statementTimeout
        if let deadline = Deadline.current {
            let remaining = max(deadline.remaining.wholeNanoseconds, 1)
            limit = limit == 0 ? remaining : min(limit, remaining)
        }
        guard limit != 0 else { return 0 }
        let (sum, overflow) = monotonicNanoseconds().addingReportingOverflow(limit)
        return overflow ? 0 : sum
    }
}

extension PostgresConfiguration {
    /// What telemetry knows the database by.
    var instrumentationTarget: DatabaseTarget {
        let host = hosts.first
        return DatabaseTarget(
            system: .postgresql, namespace: database, address: host?.name ?? host?.address ?? host?.socketPath,
            port: host?.port)
    }
}

extension Duration {
    /// The duration in nanoseconds; 0 when it is negative, the largest number when it does not fit.
    var wholeNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (product, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carry) = product.addingReportingOverflow(UInt64(attoseconds / 1_000_000_000))
        return overflow || carry ? .max : sum
    }
}
