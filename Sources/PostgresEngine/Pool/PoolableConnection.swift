import PersistenceCore

/// What a pool must know of a connection.
protocol PoolableConnection: AnyObject, Sendable {
    /// The identity that the pool gave when it asked for the connection: a constant.
    var poolID: PoolConnectionID { get }

    /// Whether the connection is not known to be dead.
    ///
    /// Read with the pool's lock held: it must be cheap, and must neither block nor call the pool.
    var isUsable: Bool { get }

    /// Closes the connection at once, whoever uses it: what runs on it fails, and later calls change nothing.
    ///
    /// It must not block.
    func closeNow()

    /// Asks the server for a sign of life.
    func ping() async throws(PersistenceError)
}

/// Names a connection within its pool, for as long as the pool exists.
struct PoolConnectionID: Hashable, Sendable {
    /// The place in the pool's table, so that a returned connection is found without hashing.
    let index: Int32
    /// Tells the connections apart that have held the place one after the other.
    let generation: UInt32
}

/// In which condition a connection comes back.
enum PoolReleaseDisposition: Sendable {
    /// Its session is as it was lent.
    case reusable
    /// Its session has changed: it is reset before anybody else gets it.
    case needsReset
    /// It cannot serve anybody else: it is closed.
    case discard
}

/// A connection on its way to a caller.
struct PoolGrant<Connection: PoolableConnection>: Sendable {
    let connection: Connection
    /// Whether the caller must still confirm the connection, after a liveness test or a hook.
    let needsCheck: Bool
    /// Whether the connection was unused for so long that it may have died unnoticed.
    let needsLivenessTest: Bool
}
