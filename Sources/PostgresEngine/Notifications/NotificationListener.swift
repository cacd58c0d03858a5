internal import PersistenceCore
internal import Synchronization

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// Keeps a connection that listens, and replaces it when it is lost.
final class NotificationListener: Sendable {
    let buffer: NotificationBuffer
    private let connector: PostgresConnector
    private let context: EngineContext
    private let commands: [FlightCommand]
    private let options: PostgresNotificationOptions
    private let retry: RetryPolicy

    /// Creates a listener.
    ///
    /// - Parameters:
    ///   - channels: The channels, checked.
    ///   - options: How it behaves.
    init(
        channels: [PostgresIdentifier], options: PostgresNotificationOptions, connector: PostgresConnector,
        context: EngineContext
    ) {
        self.connector = connector
        self.context = context
        self.options = options
        buffer = NotificationBuffer(capacity: options.capacity, completeUntil: .distantPast)
        retry = RetryPolicy(
            maximumAttempts: .max, baseDelay: options.reconnectDelay, maximumDelay: options.maximumReconnectDelay)
        commands = channels.map { .text("LISTEN \($0.quoted)") } + [.text(Self.clock)]
    }

    private static let clock = "SELECT pg_catalog.clock_timestamp()"

    /// Opens a connection that listens.
    func connect(deadline: Deadline?) async throws(PersistenceError) -> ListeningSession {
        let session = try await connector.connect(deadline: deadline)
        let span = context.instrumentation.begin(DatabaseOperation(.notification, on: context.target, name: "LISTEN"))
        let listening = ListeningSession(session, buffer: buffer)
        do throws(PersistenceError) {
            try await exchange(commands, on: session, deadline: deadline)
            span?.end()
            return listening
        } catch {
            session.close()
            span?.end(throwing: error)
            throw error.with { $0.operation = $0.operation ?? "LISTEN" }
        }
    }

    /// Sends commands, the last of which asks for the time.
    private func exchange(
        _ commands: [FlightCommand], on session: PostgresSession, deadline: Deadline?
    ) async throws(PersistenceError) {
        var end: UInt64 = 0
        if let deadline { end = monotonicNanoseconds() &+ max(deadline.remaining.wholeNanoseconds, 1) }
        let reply = await session.fly(deadline: end) { state, flight in
            state.sendPipelined(commands, syncEach: false, flight: &flight) ? .sent : .failed
        }
        try reply.check(expecting: commands.count, session: session, sql: "LISTEN")
        let result = reply.take(commands.count - 1)
        let time = try result.onlyRow { (row) throws(PersistenceError) in try row.decode(0, as: Date.self) }
        if let time { buffer.noteComplete(time) }
    }

    /// Serves until the task is cancelled, or until the server refuses in a way that waiting does not mend.
    func run(_ first: ListeningSession) async {
        var listening = first
        while true {
            await serve(listening)
            guard !Task.isCancelled else { break }
            do throws(PersistenceError) {
                listening = try await reconnect()
                buffer.addReconnection()
            } catch {
                buffer.finish(Task.isCancelled ? nil : error)
                return
            }
        }
        buffer.finish(nil)
    }

    /// Watches over a connection until it is lost or the task is cancelled.
    private func serve(_ listening: ListeningSession) async {
        await withTaskGroup { group in
            group.addTask { await listening.untilClosed() }
            group.addTask { [self] in
                while !Task.isCancelled, listening.session.isAlive {
                    do { try await Task.sleep(for: options.keepAliveInterval) } catch { return }
                    await proveLife(of: listening.session)
                }
            }
            await group.next()
            group.cancelAll()
        }
        listening.session.close()
    }

    /// Asks the server for the time; closes the connection when it does not answer.
    private func proveLife(of session: PostgresSession) async {
        let timer = Task.detached { [options] in
            do { try await Task.sleep(for: options.keepAliveTimeout) } catch { return }
            // No cancel request: a peer that does not answer this does not answer that either.
            session.close(
                reason: PersistenceError(.connection, "the server did not answer the listener in time"))
        }
        do throws(PersistenceError) {
            try await exchange([.text(Self.clock)], on: session, deadline: nil)
        } catch {
            session.close(reason: error)
        }
        timer.cancel()
    }

    private func reconnect() async throws(PersistenceError) -> ListeningSession {
        var attempt = 0
        while true {
            attempt += 1
            let delay = retry.delay(afterAttempt: attempt)
            do { try await Task.sleep(for: delay) } catch { throw PersistenceError(.cancelled) }
            do throws(PersistenceError) {
                return try await connect(deadline: nil)
            } catch {
                guard Self.isPassing(error) else { throw error }
            }
        }
    }

    /// Whether waiting can mend a failure to connect.
    private static func isPassing(_ error: PersistenceError) -> Bool {
        switch error.code {
        case .authentication, .tls, .configuration, .permission, .cancelled, .invalidArgument, .invalidStatement: false
        default: true
        }
    }
}

/// A connection that listens, and a way to wait for its end.
final class ListeningSession: Sendable {
    let session: PostgresSession

    private struct State {
        var isClosed = false
        var waiter: UnsafeContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    init(_ session: PostgresSession, buffer: NotificationBuffer) {
        self.session = session
        session.onEvent { [weak self] event in
            switch event {
            case .notification(let channel, let payload, let process):
                buffer.add(PostgresNotification(channel: channel, payload: payload, process: process))
            case .closed:
                self?.noteClosed()
            }
        }
        // A connection that was lost before has told nobody.
        if !session.isAlive { noteClosed() }
    }

    deinit {
        session.close()
    }

    private func noteClosed() {
        state.withLock { state in
            state.isClosed = true
            return state.waiter.take()
        }?.resume()
    }

    /// Waits until the connection is closed or the task is cancelled.
    func untilClosed() async {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.isClosed || Task.isCancelled { return true }
                    state.waiter = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiter.take() }?.resume()
        }
    }
}
