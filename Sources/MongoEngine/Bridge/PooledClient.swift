internal import CMongoC
internal import Synchronization

/// A client of the driver's pool, and the connections that it has opened.
///
/// The client is used by one thread at a time, which ``ClientLane`` sees to.
final class PooledClient: Sendable {
    let pointer: CPointer
    let connections: ClientConnections

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
}
