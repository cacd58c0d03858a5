#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A moment of the pool's clock, in nanoseconds from an arbitrary start.
struct PoolInstant: Comparable, Hashable, Sendable {
    var nanoseconds: Int64

    /// So far ahead that it never comes.
    static let distantFuture = PoolInstant(nanoseconds: .max)

    static func < (lhs: PoolInstant, rhs: PoolInstant) -> Bool {
        lhs.nanoseconds < rhs.nanoseconds
    }

    /// Saturates, so that an endless duration is a moment that never comes.
    func advanced(by nanoseconds: Int64) -> PoolInstant {
        let (sum, overflow) = self.nanoseconds.addingReportingOverflow(nanoseconds)
        return PoolInstant(nanoseconds: overflow ? (nanoseconds < 0 ? .min : .max) : sum)
    }

    func advanced(by duration: Duration) -> PoolInstant {
        advanced(by: duration.saturatedNanoseconds)
    }

    /// The nanoseconds from `earlier` to this moment; never negative.
    func nanoseconds(since earlier: PoolInstant) -> Int64 {
        let (difference, overflow) = nanoseconds.subtractingReportingOverflow(earlier.nanoseconds)
        return overflow ? .max : max(0, difference)
    }
}

extension Duration {
    /// In nanoseconds; what does not fit becomes the largest or the smallest number.
    var saturatedNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carry) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
        return overflow || carry ? (seconds < 0 ? .min : .max) : sum
    }
}

/// Where a pool takes the time from.
protocol PoolTimeSource: Sendable {
    /// Whether ``now()`` may be called on every acquire and release.
    ///
    /// When it is dear, a busy pool lives by the time of its last tick instead.
    var readsAreCheap: Bool { get }

    /// The time.
    func now() -> PoolInstant

    /// Suspends until the moment has come, or throws when the task is cancelled.
    func sleep(until deadline: PoolInstant) async throws
}

/// The machine's monotonic clock.
struct SystemPoolTime: PoolTimeSource {
    // A reading costs more than the two locks of an acquire and a release together.
    var readsAreCheap: Bool { false }

    func now() -> PoolInstant {
        var time = timespec()
        // Cannot fail: the clock exists on every system that this compiles for, and the pointer is valid.
        _ = clock_gettime(CLOCK_MONOTONIC, &time)
        return PoolInstant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    func sleep(until deadline: PoolInstant) async throws {
        // In steps, because much longer sleeps overflow inside the standard library.
        let day: Int64 = 86_400_000_000_000
        while case let rest = deadline.nanoseconds(since: now()), rest > 0 {
            try await Task.sleep(for: .nanoseconds(min(rest, day)), clock: .continuous)
        }
    }
}

/// A small generator of numbers that need not be secret (SplitMix64), so that the same seed gives the same pool.
struct PoolRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    /// A number from 0 up to, but not including, `bound`; 0 when `bound` is not positive.
    mutating func nanoseconds(below bound: Int64) -> Int64 {
        guard bound > 0 else { return 0 }
        return Int64.random(in: 0..<bound, using: &self)
    }
}
