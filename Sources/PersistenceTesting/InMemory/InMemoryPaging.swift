import Persistence
import PersistenceCore

extension Sequence {
    /// A page of the elements, which are in no order yet.
    func page<Key>(
        _ listing: Listing<Key>, _ request: KeysetPageRequest, by key: (Element) -> Key
    ) throws(PersistenceError) -> KeysetPage<Element> {
        let place = try listing.key(of: request)
        let goesDown = listing.isDescending == (request.direction == .forward)
        var keyed = map { (key: key($0), element: $0) }
        if let place {
            keyed.removeAll { goesDown ? $0.key >= place : $0.key <= place }
        }
        keyed.sort { goesDown ? $0.key > $1.key : $0.key < $1.key }
        return try listing.page(keyed.prefix(request.fetchLimit).map(\.element), for: request, by: key)
    }
}
