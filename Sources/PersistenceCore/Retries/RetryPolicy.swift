/// Whether, when and how often failed work is done again.
///
/// Waits grow exponentially and are drawn at random between zero and the grown delay ("full jitter"), so that callers
/// that failed together do not come back together.
///
/// ```swift
/// let policy = RetryPolicy(maximumAttempts: 4, baseDelay: .milliseconds(20))
/// let total = try await policy.execute { attempt in
///     try await recount(attempt: attempt)
/// }
/// ```
public struct RetryPolicy: Sendable {
    /// How often the work is done at most, the first time included.
    public let maximumAttempts: Int
    /// The longest wait after the first failure; it doubles with every failure.
    public let baseDelay: Duration
    /// The longest wait after any failure.
    public let maximumDelay: Duration

    private let isRetryable: @Sendable (any Error) -> Bool
    private let clock: any Clock<Duration>
    private let randomFraction: @Sendable () -> Double

    /// Creates a policy.
    ///
    /// - Parameters:
    ///   - maximumAttempts: How often the work is done at most. Less than 1 counts as 1.
    ///   - baseDelay: The longest wait after the first failure. A negative delay counts as zero.
    ///   - maximumDelay: The longest wait after any failure. A negative delay counts as zero, more than a day as a day.
    ///   - clock: Waits.
    ///   - randomFraction: Draws a number from 0 to 1 for each wait. Others count as the nearer end, no number as 0.
    ///   - isRetryable: Which errors are worth another attempt: unless told otherwise, those that are
    ///     ``PersistenceError/RetrySafety/safe`` to retry.
    public init(
        maximumAttempts: Int = 5,
        baseDelay: Duration = .milliseconds(10),
        maximumDelay: Duration = .seconds(1),
        clock: any Clock<Duration> = ContinuousClock(),
        randomFraction: @escaping @Sendable () -> Double = { Double.random(in: 0...1) },
        isRetryable: @escaping @Sendable (any Error) -> Bool = RetryPolicy.isSafe
    ) {
        self.maximumAttempts = max(1, maximumAttempts)
        self.maximumDelay = min(max(.zero, maximumDelay), .seconds(86_400))
        self.baseDelay = min(max(.zero, baseDelay), self.maximumDelay)
        self.clock = clock
        self.randomFraction = randomFraction
        self.isRetryable = isRetryable
    }

    /// Five attempts, with waits of up to 10, 20, 40 and 80 milliseconds.
    public static let `default` = RetryPolicy()

    /// One attempt.
    public static let never = RetryPolicy(maximumAttempts: 1)

    /// Whether an error says that doing the work again is safe.
    ///
    /// - Parameter error: Any error.
    /// - Returns: True for a ``PersistenceError`` whose retry safety is `safe`.
    @Sendable
    public static func isSafe(_ error: any Error) -> Bool {
        (error as? PersistenceError)?.retrySafety == .safe
    }

    /// Draws the wait before the next attempt.
    ///
    /// - Parameter attempt: The number of the attempt that has failed, from 1.
    /// - Returns: Between zero and the base delay doubled `attempt - 1` times, but never more than the maximum delay.
    public func delay(afterAttempt attempt: Int) -> Duration {
        let fraction = randomFraction()
        return longestDelay(afterAttempt: attempt) * (fraction.isNaN ? 0 : min(max(fraction, 0), 1))
    }

    private func longestDelay(afterAttempt attempt: Int) -> Duration {
        guard baseDelay > .zero else { return .zero }
        var delay = baseDelay
        var doublings = attempt - 1
        while doublings > 0, delay < maximumDelay {
            delay *= 2
            doublings -= 1
        }
        return min(delay, maximumDelay)
    }

    /// Does the work until it succeeds, or until trying again makes no sense.
    ///
    /// The last error is thrown as it is when it is not retryable, when the attempts are used up, or when the wait would
    /// pass ``Deadline/current``.
    ///
    /// - Parameters:
    ///   - operation: A name for the error of a cancelled wait.
    ///   - body: The work, told the number of the attempt, from 1. It runs in the caller's isolation.
    /// - Returns: What `body` returns.
    /// - Throws: The last error of `body`; or `cancelled`, with that error as the underlying one, when the task was
    ///   cancelled before the next attempt.
    public nonisolated(nonsending) func execute<Result>(
        operation: String? = nil,
        _ body: (_ attempt: Int) async throws -> Result
    ) async throws -> Result {
        var attempt = 1
        while true {
            do {
                return try await body(attempt)
            } catch {
                guard attempt < maximumAttempts, isRetryable(error) else { throw error }
                let delay = delay(afterAttempt: attempt)
                if let deadline = Deadline.current, deadline.remaining <= delay { throw error }
                try await wait(delay, after: error, operation: operation)
                attempt += 1
            }
        }
    }

    private nonisolated(nonsending) func wait(
        _ delay: Duration,
        after failure: any Error,
        operation: String?
    ) async throws(PersistenceError) {
        do {
            // A clock need not look at cancellation for a wait of zero.
            try Task.checkCancellation()
            if delay > .zero { try await clock.sleep(for: delay) }
        } catch {
            throw PersistenceError(.cancelled, "the task was cancelled before the next attempt", operation: operation)
                .with { $0.underlying = failure }
        }
    }
}
