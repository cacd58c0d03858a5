/// A part of a list, by place.
public struct KeysetPage<Item> {
    /// The items, in the list's order whichever way was gone.
    public let items: [Item]
    /// Where the items after these begin, or nil when there were none.
    public let next: PageCursor?
    /// Where the items before these end, or nil when there were none.
    public let previous: PageCursor?
    /// How many items the whole list has, when it was counted.
    public let total: Int?

    /// Makes a page of fetched rows.
    ///
    /// Fetch ``KeysetPageRequest/fetchLimit`` rows beyond the request's keys, and in the order of the list for
    /// ``PageCursor/Direction/forward``, in the opposite order for ``PageCursor/Direction/backward``:
    ///
    /// ```sql
    /// -- forward                                         -- backward
    /// WHERE (created_at, id) > ($1, $2)                  WHERE (created_at, id) < ($1, $2)
    /// ORDER BY created_at, id LIMIT $3                   ORDER BY created_at DESC, id DESC LIMIT $3
    /// ```
    ///
    /// A page that turns out empty behind a cursor, because everything there was removed, has no way back.
    ///
    /// - Parameters:
    ///   - rows: What was fetched.
    ///   - request: What was asked for.
    ///   - listing: The list's name with its order.
    ///   - total: How many items the whole list has, when it was counted.
    ///   - keys: The values that the list is sorted by; the last must be unique.
    /// - Throws: `invalidArgument` without a name or keys; `tooLarge` when keys are too long for a token.
    public init(
        rows: [Item],
        for request: KeysetPageRequest,
        listing: String,
        total: Int? = nil,
        keys: (Item) -> [any PageKey]
    ) throws(PersistenceError) {
        let hasMore = rows.count > request.limit
        let isForward = request.direction == .forward
        let fetched = rows.prefix(request.limit)
        let items = isForward ? Array(fetched) : fetched.reversed()
        // Whoever came with a cursor came from the other side.
        let hasNext = isForward ? hasMore : true
        let hasPrevious = isForward ? request.cursor != nil : hasMore
        var next: PageCursor?
        var previous: PageCursor?
        if hasNext, let last = items.last {
            next = try PageCursor(listing: listing, keys: keys(last), direction: .forward)
        }
        if hasPrevious, let first = items.first {
            previous = try PageCursor(listing: listing, keys: keys(first), direction: .backward)
        }
        self.init(items: items, next: next, previous: previous, total: total)
    }

    /// Makes a page of its parts.
    ///
    /// - Parameters:
    ///   - items: The items, in the list's order.
    ///   - next: Where the items after these begin.
    ///   - previous: Where the items before these end.
    ///   - total: How many items the whole list has.
    public init(items: [Item], next: PageCursor?, previous: PageCursor?, total: Int? = nil) {
        self.items = items
        self.next = next
        self.previous = previous
        self.total = total
    }

    /// Whether items come after these.
    public var hasNext: Bool { next != nil }

    /// Whether items come before these.
    public var hasPrevious: Bool { previous != nil }

    /// The same page with other items.
    ///
    /// - Parameter transform: Makes an item of the new kind.
    /// - Returns: The page.
    /// - Throws: What `transform` throws.
    public func map<Other, Failure: Error>(
        _ transform: (Item) throws(Failure) -> Other
    ) throws(Failure) -> KeysetPage<Other> {
        KeysetPage<Other>(items: try items.map(transform), next: next, previous: previous, total: total)
    }
}

extension KeysetPage: Sendable where Item: Sendable {}
extension KeysetPage: Equatable where Item: Equatable {}
extension KeysetPage: Encodable where Item: Encodable {}
extension KeysetPage: Decodable where Item: Decodable {}
