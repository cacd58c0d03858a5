internal import CMongoC
internal import Synchronization

/// A client of the driver's pool, and the connections that it has opened.
///
/// The client is used by one thread at a time: who has taken it out of the pool alone has it, or its ``ClientLane``.
final class PooledClient: Sendable {
    /// A collection as the driver knows it, a `mongoc_collection_t`.
    private struct OpenCollection: Sendable {
        let name: String
        let pointer: CPointer
    }

    let pointer: CPointer
    let connections: ClientConnections
    /// The collections used last: making one for each operation takes the driver longer than looking here.
    private let collections = Mutex<[OpenCollection]>([])

    private static var maximumCollections: Int { 8 }

    init(pointer: CPointer, connections: ClientConnections) {
        self.pointer = pointer
        self.connections = connections
    }

    /// Ends what the client waits for, by closing its connections.
    ///
    /// May be called on any thread, at any time.
    ///
    /// - Parameter age: How old a connection must be.
    func interrupt(olderThan age: Duration = .zero) {
        connections.interrupt(olderThan: age)
    }

    /// Lends a collection, a `mongoc_collection_t`, to the thread that uses the client.
    func withCollection<Result>(_ name: String, in database: String, _ body: (OpaquePointer) -> Result) -> Result {
        let known = collections.withLock { collections in collections.first { $0.name == name } }
        if let known { return body(known.pointer.raw) }
        // Never nil: the function allocates, or ends the process.
        let collection = CPointer(mongoc_client_get_collection(pointer.raw, database, name).unsafelyUnwrapped)
        let displaced = collections.withLock { collections in
            let displaced = collections.count >= Self.maximumCollections ? collections.removeFirst() : nil
            collections.append(OpenCollection(name: name, pointer: collection))
            return displaced
        }
        // Nobody uses it: the client's thread is here.
        if let displaced { mongoc_collection_destroy(displaced.pointer.raw) }
        return body(collection.raw)
    }

    /// Frees what was made on the client, which is about to be freed itself.
    func forgetCollections() {
        let all = collections.withLock { collections in
            defer { collections = [] }
            return collections
        }
        for collection in all { mongoc_collection_destroy(collection.pointer.raw) }
    }
}
