/// One side of a comparison.
package struct Contender: Sendable {
    package var name: String
    /// Whether it is a program or library of somebody else's, in a process of its own.
    package var isPeer: Bool
    /// Runs the workload for so many seconds.
    package var run: @Sendable (_ seconds: Double) async throws -> Sample

    package init(
        _ name: String, isPeer: Bool = false, run: @escaping @Sendable (_ seconds: Double) async throws -> Sample
    ) {
        self.name = name
        self.isPeer = isPeer
        self.run = run
    }
}

/// A workload and everybody who runs it; the first contender is what the others are measured by.
package struct Comparison: Sendable {
    /// Such as `W1×16`.
    package var name: String
    package var contenders: [Contender]
    /// What happens before each sample, outside the clock.
    package var tidy: @Sendable () throws -> Void

    package init(
        name: String, contenders: [Contender], tidy: @escaping @Sendable () throws -> Void = {}
    ) {
        self.name = name
        self.contenders = contenders
        self.tidy = tidy
    }
}

/// A contender that is not there.
package struct Skipped: Error {
    package init() {}
}
