/// Which page of a list is wanted, by the place where the last one ended.
///
/// A place stays where it is when items are inserted or removed, and the database goes straight to it by an index,
/// however far down the list it is.
///
/// ```swift
/// let request = try KeysetPageRequest.parse(limit: query["limit"], cursor: query["cursor"])
/// ```
public struct KeysetPageRequest: Hashable, Sendable {
    /// The largest number of items that come back.
    public let limit: Int
    /// Where to go on, or nil for the first page.
    public let cursor: PageCursor?

    /// Asks for the items beside a place.
    ///
    /// - Parameters:
    ///   - limit: The largest number of items that come back; nil for the limits' standard.
    ///   - cursor: Where to go on: ``KeysetPage/next`` or ``KeysetPage/previous`` of another page; nil for the first.
    ///   - limits: What the caller may ask for.
    /// - Throws: `invalidArgument` when the limit is out of its range.
    public init(
        limit: Int? = nil,
        cursor: PageCursor? = nil,
        within limits: PageLimits = .standard
    ) throws(PersistenceError) {
        self.limit = try limits.check(limit)
        self.cursor = cursor
    }

    /// Reads a request from the parameters of a query string; missing and empty ones count as none.
    ///
    /// - Parameters:
    ///   - limit: The text of the limit.
    ///   - cursor: The token of a cursor.
    ///   - limits: What the caller may ask for.
    /// - Returns: The request.
    /// - Throws: `invalidArgument` when the limit is no whole number or out of its range, or the token is malformed.
    public static func parse(
        limit: String?,
        cursor: String?,
        within limits: PageLimits = .standard
    ) throws(PersistenceError) -> KeysetPageRequest {
        let number = try PageLimits.number(limit, name: "page size")
        guard let token = cursor.nonEmpty else {
            return try KeysetPageRequest(limit: number, within: limits)
        }
        return try KeysetPageRequest(limit: number, cursor: PageCursor(token: token), within: limits)
    }

    /// Which way to go on: forward on the first page.
    public var direction: PageCursor.Direction { cursor?.direction ?? .forward }

    /// How many rows to fetch: one more than the limit, which tells whether there is another page.
    public var fetchLimit: Int { limit + 1 }

    /// The keys to go on from, or nil on the first page.
    ///
    /// - Parameters:
    ///   - listing: The name of the list that is read, with its order.
    ///   - type: The types of the keys that it is sorted by.
    /// - Returns: The keys, or nil on the first page.
    /// - Throws: `invalidArgument` when the cursor is of another list, or has other keys.
    public func values<each Key: PageKey>(
        of listing: String,
        _ type: repeat (each Key).Type
    ) throws(PersistenceError) -> (repeat each Key)? {
        guard let cursor else { return nil }
        let values: (repeat each Key) = try cursor.values(of: listing, repeat each type)
        return values
    }
}
