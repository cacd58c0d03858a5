public import PersistenceCore

/// The rule for functions that take many values at once.
public enum Batch {
    /// How many values one call may carry.
    ///
    /// It bounds the size of one message and the time of one statement; a longer list is passed in pieces, and the caller
    /// decides whether one transaction holds them together.
    public static let maximumCount = 10_000

    /// Refuses a batch that is too long; for implementations of repositories.
    ///
    /// - Parameters:
    ///   - count: How many values there are.
    ///   - operation: The name of the operation.
    /// - Throws: `PersistenceError` with the code `tooLarge`.
    public static func check(count: Int, operation: String) throws(PersistenceError) {
        guard count <= maximumCount else {
            throw PersistenceError(
                .tooLarge, "a batch has at most \(maximumCount) values, not \(count)", operation: operation)
        }
    }
}
