import Persistence
import PersistenceCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Sequence {
    /// A page of the elements, which are in no order yet.
    func page<Key>(
        _ listing: TimedListing<Key>, _ request: KeysetPageRequest, by place: (Element) -> (Date, Key)
    ) throws(PersistenceError) -> KeysetPage<Element> {
        let beside = try listing.place(of: request)
        let goesDown = listing.isDescending == (request.direction == .forward)
        var keyed = map { (place: place($0), element: $0) }
        if let beside {
            keyed.removeAll { goesDown ? $0.place >= beside : $0.place <= beside }
        }
        keyed.sort { goesDown ? $0.place > $1.place : $0.place < $1.place }
        return try listing.page(keyed.prefix(request.fetchLimit).map(\.element), for: request, by: place)
    }

    /// All elements, in the order of a list.
    func sorted<Key>(_ listing: TimedListing<Key>, by place: (Element) -> (Date, Key)) -> [Element] {
        sorted { listing.isDescending ? place($0) > place($1) : place($0) < place($1) }
    }
}

extension ResultStream {
    /// The results of one operation that has them all at once, in batches as a server sends them.
    init(_ all: @escaping @Sendable () throws(PersistenceError) -> [Element]) {
        self.init {
            var rest: ArraySlice<Element>?
            return { () throws(PersistenceError) in
                guard !Task.isCancelled else { throw PersistenceError(.cancelled) }
                let left: ArraySlice<Element>
                if let rest { left = rest } else { left = try all()[...] }
                rest = left.dropFirst(100)
                return left.isEmpty ? nil : Array(left.prefix(100))
            }
        }
    }
}
