internal import CLibPQ
public import PersistenceCore

/// Short reads of many tasks on few connections, all in flight at once.
///
/// Where a pool gives each task a connection of its own, a shared reader puts the queries of many tasks into one
/// connection's pipeline: fewer system calls, fewer server processes, more reads per second. The price is that a query
/// waits for those before it on the same connection, so a slow one delays its neighbours. It is therefore never used
/// unless asked for:
///
/// ```swift
/// let reader = try database.sharedReader(connections: 2)
/// let user = try await reader.run(GetUser(id: id))
/// ```
///
/// Connections are read-only (`default_transaction_read_only`), open when they are first needed, and reopen when they
/// are lost. Statements that are no reads, or that would change the session, are refused. Cancelling a task, or its
/// deadline, ends its wait at once; the server still finishes the query, because a cancel request could hit a
/// neighbour's.
public final class PostgresSharedReader: PostgresExecutor, Sendable {
    private enum Slot {
        case empty
        case opening(Task<PostgresSession, any Error>)
        case open(PostgresSession)
    }

    private struct State: ~Copyable {
        var slots: [Slot]
        var next = 0
        var isClosed = false
    }

    private let connector: PostgresConnector
    private let state: SharedState<State>

    init(connector: PostgresConnector, connections: Int) {
        self.connector = connector
        self.state = SharedState(State(slots: Array(repeating: .empty, count: connections)))
    }

    deinit {
        close()
    }

    /// Closes the connections; queries in flight fail.
    public func close() {
        let slots = state.withLock { state in
            state.isClosed = true
            defer { state.slots = state.slots.map { _ in .empty } }
            return state.slots
        }
        for slot in slots {
            switch slot {
            case .empty: break
            case .opening(let task): task.cancel()
            case .open(let session): session.close()
            }
        }
    }

    /// Lends the next connection in turn, which other tasks use at the same time.
    public func lease() async throws(PersistenceError) -> PostgresLease {
        PostgresLease(session: try await session())
    }

    /// Lends a connection that is open: one that lives on the caller's thread, unless it has much more to do than the next
    /// in turn.
    public func leaseIfReady() -> PostgresLease? {
        let session: PostgresSession? = state.withLock { state in
            guard !state.isClosed, case .open(let next) = state.slots[state.next], next.isAlive else { return nil }
            if next.executor.isCurrentThread {
                let load = next.pendingCount
                for slot in state.slots {
                    // What is sent from elsewhere wakes the server by itself, and waits for the connection's lock.
                    if case .open(let session) = slot, session.reactor.isCurrentThread, session.isAlive,
                        session.pendingCount <= 2 * load + 4
                    {
                        return session
                    }
                }
            }
            state.next = state.next + 1 == state.slots.count ? 0 : state.next + 1
            return next
        }
        guard let session else { return nil }
        return PostgresLease(session: session)
    }

    private func session() async throws(PersistenceError) -> PostgresSession {
        enum Choice {
            case session(PostgresSession)
            case wait(Task<PostgresSession, any Error>)
            case closed
        }
        let choice: Choice = state.withLock { state in
            guard !state.isClosed else { return .closed }
            let index = state.next
            state.next = index + 1 == state.slots.count ? 0 : index + 1
            switch state.slots[index] {
            case .open(let session) where session.isAlive: return .session(session)
            case .opening(let task): return .wait(task)
            default:
                let task = Task { try await open(index) }
                state.slots[index] = .opening(task)
                return .wait(task)
            }
        }
        switch choice {
        case .session(let session): return session
        case .closed: throw PersistenceError(.poolClosed)
        case .wait(let task):
            do {
                return try await task.value
            } catch {
                throw error as? PersistenceError ?? PersistenceError(.connection).with { $0.underlying = error }
            }
        }
    }

    private func open(_ index: Int) async throws -> PostgresSession {
        do {
            let session = try await connector.connect(deadline: nil, isShared: true)
            let isWanted = state.withLock { state in
                guard !state.isClosed else { return false }
                state.slots[index] = .open(session)
                return true
            }
            guard isWanted else {
                session.close()
                throw PersistenceError(.poolClosed)
            }
            return session
        } catch {
            state.withLock { state in
                if !state.isClosed { state.slots[index] = .empty }
            }
            throw error
        }
    }
}

extension PostgresDatabase {
    /// Makes a reader whose tasks share connections of their own, beside the pool's.
    ///
    /// - Parameter connections: How many connections, from 1 to 64. One or two saturate a small server.
    /// - Returns: The reader. Keep it, and ``PostgresSharedReader/close()`` it in the end.
    /// - Throws: ``PersistenceError`` with the code `invalidArgument` when the number is out of range, or when the
    ///   database is configured for unnamed statements, which a shared connection cannot use.
    public func sharedReader(connections: Int = 2) throws(PersistenceError) -> PostgresSharedReader {
        guard (1...64).contains(connections) else {
            throw PersistenceError(.invalidArgument, "a shared reader has from 1 to 64 connections")
        }
        guard !context.usesUnnamedStatements else {
            throw PersistenceError(.invalidArgument, "a shared reader needs prepared statements")
        }
        var configuration = connector.configuration
        configuration.sessionParameters["default_transaction_read_only"] = "on"
        let connector = PostgresConnector(configuration: configuration, context: context, reactorUse: reactorUse)
        return PostgresSharedReader(connector: connector, connections: connections)
    }
}
