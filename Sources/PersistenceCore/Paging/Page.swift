/// A part of a list, by position, with the length of the whole list.
public struct Page<Item> {
    /// The items, in the list's order.
    public let items: [Item]
    /// How many items the whole list has.
    public let total: Int
    /// How many items come before these.
    public let offset: Int
    /// The largest number of items that were asked for.
    public let limit: Int

    /// Creates the answer to a request.
    ///
    /// The total is often counted by another statement, a moment apart: one that is smaller than what is seen to exist
    /// is corrected.
    ///
    /// - Parameters:
    ///   - items: The items; those beyond the request's limit are left out.
    ///   - total: How many items the whole list has.
    ///   - request: What was asked for.
    public init(items: [Item], total: Int, for request: OffsetPageRequest) {
        let items = items.count > request.limit ? Array(items.prefix(request.limit)) : items
        self.init(
            items: items,
            total: max(0, total, items.isEmpty ? 0 : request.offset + items.count),
            offset: request.offset,
            limit: request.limit
        )
    }

    private init(items: [Item], total: Int, offset: Int, limit: Int) {
        self.items = items
        self.total = total
        self.offset = offset
        self.limit = limit
    }

    /// Whether items come after these.
    public var hasNext: Bool { nextOffset < total }

    /// Whether items come before these.
    public var hasPrevious: Bool { offset > 0 && total > 0 }

    /// The request for the page after this one, or nil when this is the last.
    public var next: OffsetPageRequest? {
        hasNext ? OffsetPageRequest(uncheckedOffset: nextOffset, limit: limit) : nil
    }

    /// The request for the page before this one, or nil when this is the first.
    ///
    /// From beyond the end of the list it leads to the list's last items.
    public var previous: OffsetPageRequest? {
        guard hasPrevious else { return nil }
        return OffsetPageRequest(uncheckedOffset: max(0, min(offset, total) - limit), limit: limit)
    }

    /// The number of this page, from 1 on.
    public var number: Int { offset / limit + 1 }

    /// How many pages of this size the whole list has.
    public var pageCount: Int { total / limit + (total % limit == 0 ? 0 : 1) }

    /// The same page with other items.
    ///
    /// - Parameter transform: Makes an item of the new kind.
    /// - Returns: The page.
    /// - Throws: What `transform` throws.
    public func map<Other, Failure: Error>(
        _ transform: (Item) throws(Failure) -> Other
    ) throws(Failure) -> Page<Other> {
        Page<Other>(items: try items.map(transform), total: total, offset: offset, limit: limit)
    }

    private var nextOffset: Int { offset + (items.isEmpty ? limit : items.count) }
}

extension Page: Sendable where Item: Sendable {}
extension Page: Equatable where Item: Equatable {}

extension Page: Encodable where Item: Encodable {
    private enum CodingKeys: String, CodingKey {
        case items
        case total
        case offset
        case limit
    }
}
