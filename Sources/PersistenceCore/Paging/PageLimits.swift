/// How many items a page may have.
public struct PageLimits: Hashable, Sendable {
    /// The number of items when the caller names none.
    public let standard: Int
    /// The largest number of items that a caller may ask for.
    public let maximum: Int

    /// Creates limits.
    ///
    /// - Parameters:
    ///   - standard: The number of items when the caller names none: at least 1, and at most the maximum.
    ///   - maximum: The largest number of items: at least 1, and at most 100,000, because a page is held in memory.
    /// - Throws: `invalidArgument` when a number is out of its range.
    public init(standard: Int, maximum: Int) throws(PersistenceError) {
        guard (1...100_000).contains(maximum) else {
            throw PersistenceError(.invalidArgument, "the largest page size must be from 1 to 100000")
        }
        guard (1...maximum).contains(standard) else {
            throw PersistenceError(.invalidArgument, "the standard page size must be from 1 to \(maximum)")
        }
        self.init(uncheckedStandard: standard, maximum: maximum)
    }

    private init(uncheckedStandard standard: Int, maximum: Int) {
        self.standard = standard
        self.maximum = maximum
    }

    /// 50 items unless told otherwise, and at most 1,000.
    public static let standard = PageLimits(uncheckedStandard: 50, maximum: 1000)

    func check(_ limit: Int?) throws(PersistenceError) -> Int {
        guard let limit else { return standard }
        guard (1...maximum).contains(limit) else {
            throw PersistenceError(.invalidArgument, "the page size must be from 1 to \(maximum)")
        }
        return limit
    }

    /// Reads a number of a request's query string; an empty text counts as none.
    static func number(_ text: String?, name: String) throws(PersistenceError) -> Int? {
        guard let text = text.nonEmpty else { return nil }
        guard text.utf8.count <= 20, let number = Int(text) else {
            throw PersistenceError(.invalidArgument, "the \(name) must be a whole number")
        }
        return number
    }
}
