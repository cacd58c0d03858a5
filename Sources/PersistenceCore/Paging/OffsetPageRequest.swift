/// Which page of a list is wanted, by position.
///
/// Positions suit lists that a person leafs through, with a total and page numbers. They shift when items are inserted
/// or removed, and the database walks over everything that is skipped: for feeds and exports use
/// ``KeysetPageRequest``.
public struct OffsetPageRequest: Hashable, Sendable {
    /// How many items are skipped.
    public let offset: Int
    /// The largest number of items that come back.
    public let limit: Int

    /// Asks for the items from a position on.
    ///
    /// - Parameters:
    ///   - offset: How many items are skipped: from 0 on.
    ///   - limit: The largest number of items that come back; nil for the limits' standard.
    ///   - limits: What the caller may ask for.
    /// - Throws: `invalidArgument` when a number is out of its range.
    public init(offset: Int = 0, limit: Int? = nil, within limits: PageLimits = .standard) throws(PersistenceError) {
        let limit = try limits.check(limit)
        guard (0...(Int.max - limit)).contains(offset) else {
            throw PersistenceError(.invalidArgument, "the page offset must not be negative or beyond all lists")
        }
        self.init(uncheckedOffset: offset, limit: limit)
    }

    /// Asks for a page by its number.
    ///
    /// - Parameters:
    ///   - page: The page's number, from 1 on.
    ///   - size: The largest number of items that come back; nil for the limits' standard.
    ///   - limits: What the caller may ask for.
    /// - Throws: `invalidArgument` when a number is out of its range.
    public init(page: Int, size: Int? = nil, within limits: PageLimits = .standard) throws(PersistenceError) {
        let size = try limits.check(size)
        guard page >= 1 else {
            throw PersistenceError(.invalidArgument, "the page number must be at least 1")
        }
        let (offset, overflow) = (page - 1).multipliedReportingOverflow(by: size)
        try self.init(offset: overflow ? .max : offset, limit: size, within: limits)
    }

    /// Reads a request from the parameters of a query string; missing and empty ones count as none.
    ///
    /// - Parameters:
    ///   - offset: The text of the offset.
    ///   - limit: The text of the limit.
    ///   - limits: What the caller may ask for.
    /// - Returns: The request.
    /// - Throws: `invalidArgument` when a text is no whole number, or one out of its range.
    public static func parse(
        offset: String?,
        limit: String?,
        within limits: PageLimits = .standard
    ) throws(PersistenceError) -> OffsetPageRequest {
        try OffsetPageRequest(
            offset: PageLimits.number(offset, name: "page offset") ?? 0,
            limit: PageLimits.number(limit, name: "page size"),
            within: limits
        )
    }

    init(uncheckedOffset offset: Int, limit: Int) {
        self.offset = offset
        self.limit = limit
    }
}
