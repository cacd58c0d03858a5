internal import PersistenceCore
internal import Synchronization

/// A lease of a pool's connection that tasks can share; the last one to let go gives the connection back.
///
/// @unchecked: of a lease's parts only a transaction is not `Sendable`, and a lease of the pool has none.
final class OwnedLease: @unchecked Sendable {
    private let lease: PostgresLease
    let session: PostgresSession
    let context: EngineContext

    init(_ lease: consuming PostgresLease) {
        session = lease.session
        context = lease.context
        self.lease = lease
    }
}

/// A flight that was sent ahead on a connection of one's own; it keeps the connection until it is answered.
struct PendingReply: Sendable {
    private let task: Task<Box, Never>
    let session: PostgresSession
    let context: EngineContext

    /// Carries a reply out of its task: a task's value must be copyable.
    private final class Box: Sendable {
        private let reply: Mutex<ServerReply?>

        init(_ reply: consuming ServerReply) {
            self.reply = Mutex(reply)
        }

        func take() -> ServerReply? {
            reply.withLock { $0.take() }
        }
    }

    /// Sends a flight; see ``PostgresSession/fly(deadline:isCancellable:_:)``.
    init(
        _ lease: OwnedLease, deadline: UInt64, isCancellable: Bool,
        _ send: @escaping @Sendable (inout SessionState, inout FlightRecord) -> PostgresSession.Sending
    ) {
        session = lease.session
        context = lease.context
        // On the connection's own thread from the answer on, so that no other has to wake up for it.
        task = Task.detached(executorPreference: lease.session.executor) {
            let reply = await lease.session.fly(deadline: deadline, isCancellable: isCancellable, send)
            return Box(reply)
        }
    }

    /// Asks the server to stop.
    func cancel() {
        task.cancel()
    }

    /// Waits for the answer, once.
    func reply() async -> ServerReply {
        let box = await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
        return box.take() ?? ServerReply(RawReply(failure: PersistenceError(.internal, "an answer was taken twice")))
    }
}
