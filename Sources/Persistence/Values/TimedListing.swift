package import PersistenceCore

#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif

/// A list that is paged by a time and an identifier: its name, for cursors, and its order.
///
/// Shared by the implementations, so that a cursor means the same to each.
package struct TimedListing<Key: EntityIdentifier>: Sendable {
    /// The name with the order, which a cursor carries.
    package let name: String

    /// Whether the list goes from the newest to the oldest.
    package let isDescending: Bool

    package init(_ name: String, _ order: ChronologicalOrder) {
        self.name = "\(name).\(order.rawValue)"
        self.isDescending = order == .newestFirst
    }

    /// The time and key that the request's page is beside; `nil` for the first page.
    package func place(of request: KeysetPageRequest) throws(PersistenceError) -> (date: Date, key: Key)? {
        guard let (date, key) = try request.values(of: name, Date.self, Key.self) else { return nil }
        // A cursor is checked, not signed: its date need not be one that a store can compare with.
        guard date.isStorable else {
            throw PersistenceError(.invalidArgument, "the page token has other keys than the list is sorted by")
        }
        return (date, key)
    }

    /// Makes a page of what was fetched.
    package func page<Item>(
        _ rows: [Item], for request: KeysetPageRequest, by place: (Item) -> (Date, Key)
    ) throws(PersistenceError) -> KeysetPage<Item> {
        try KeysetPage(rows: rows, for: request, listing: name) { item in
            let (date, key) = place(item)
            return [date, key]
        }
    }
}
