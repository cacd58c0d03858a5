import Persistence
import PersistenceCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Where a page by key begins, for queries that have one text for the first page and the others.
struct PageBounds {
    /// The key that the page is beside.
    ///
    /// The first page is beside the end of all keys, so that the index is entered there: `$1 IS NULL OR id < $1` would
    /// have the server read the whole index.
    let key: UUID

    /// How many rows to fetch.
    let limit: Int64

    /// Whether to go against the order of the list.
    let isBackward: Bool

    init<Key>(_ request: KeysetPageRequest, of listing: Listing<Key>) throws(PersistenceError) {
        key = try listing.key(of: request)?.rawValue ?? (listing.isDescending ? Self.largest : Self.smallest)
        limit = Int64(request.fetchLimit)
        isBackward = request.direction == .backward
    }

    // RFC 9562, sections 5.9 and 5.10: neither can be an entity's.
    private static let smallest = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
    private static let largest = UUID(
        uuid: (255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255))
}
