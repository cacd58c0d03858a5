internal import CLibPQ
internal import DequeModule
internal import PersistenceCore
internal import Synchronization

extension PostgresSession {
    /// Asks the server to stop a flight; the flight still ends with the server's answer.
    ///
    /// On a shared connection the request could hit a neighbour's statement, so there the waiter is answered at once,
    /// and the results are thrown away when they come.
    func interrupt(_ id: UInt64, _ reason: Interruption) {
        var cancel: OpaquePointer?
        var abandoned: UnsafeContinuation<RawReply, Never>?
        var timer: UInt64 = 0
        var giveUpAt: UInt64 = 0
        state.withLock { state in
            guard let connection = state.connection,
                let index = state.flights.firstIndex(where: { $0.id == id }),
                state.flights[index].reply.interruption == nil
            else { return }
            state.flights[index].reply.interruption = reason
            if state.isShared {
                abandoned = state.flights[index].continuation.take()
                return
            }
            cancel = PQgetCancel(connection)
            state.cancelsInFlight += 1
            let abandonAt = monotonicNanoseconds() &+ cancellationGrace
            state.flights[index].abandonAt = abandonAt
            giveUpAt = abandonAt
            if state.timer == 0 || abandonAt < state.timer {
                state.timer = abandonAt
                timer = abandonAt
            }
        }
        abandoned?.resume(
            returning: RawReply(
                failure: reason == .task
                    ? PersistenceError(.cancelled, retrySafety: .unknown)
                    : PersistenceError(.timeout, retrySafety: .unknown).with { $0.timeout = .statement },
                interruption: reason))
        if timer != 0 { setTimer(timer) }
        guard let cancel else { return }
        let request = CancelRequest(cancel)
        // Later the connection is closed, and a request would only keep others waiting.
        cancelWorkers.submit(
            until: giveUpAt,
            orElse: { [self] in
                request.discard()
                cancelReturned()
            },
            { [self] in
                request.send()
                cancelReturned()
            })
    }

    /// Asks the server to stop whatever runs, for a connection that is about to be closed.
    func stopRunning() {
        let cancel: OpaquePointer? = state.withLock { state in
            guard let connection = state.connection, state.cancelsInFlight == 0,
                state.flights.contains(where: { !$0.isProbe })
            else { return nil }
            return PQgetCancel(connection)
        }
        guard let cancel else { return }
        let request = CancelRequest(cancel)
        let giveUpAt = monotonicNanoseconds() &+ cancellationGrace
        cancelWorkers.submit(until: giveUpAt, orElse: { request.discard() }, { request.send() })
    }

    private func cancelReturned() {
        var completions = Completions()
        state.withLock { state in
            state.cancelsInFlight -= 1
            guard state.cancelsInFlight == 0 else { return }
            for completion in state.parked { completions.append(completion) }
            state.parked = []
            state.parkedUntil = 0
        }
        completions.resume()
    }

    /// Ends the connection now, from any thread; whoever waits for it gets `reason`.
    func close(reason: PersistenceError = PersistenceError(.connection, "the connection is closed")) {
        var completions = Completions()
        var copyWaiter: UnsafeContinuation<Void, Never>?
        let connection: ClosingConnection? = state.withLock { state in
            guard let connection = state.connection.take() else { return nil }
            state.closeReason = reason
            state.failAll(reason, &completions)
            copyWaiter = state.copyWaiter.take()
            return ClosingConnection(pointer: connection)
        }
        guard let connection else { return }
        alive.store(false, ordering: .relaxed)
        reactor.perform { [self] in
            reactor.deregister(descriptor, token: token.load(ordering: .relaxed))
            PQfinish(connection.pointer)
        }
        copyWaiter?.resume()
        completions.resume()
        let handler = eventHandler.withLock { $0.take() }
        handler?(.closed(reason))
    }
}

/// @unchecked: handed from the thread that closes a connection to the reactor's, which frees it; nobody else has it.
private struct ClosingConnection: @unchecked Sendable {
    let pointer: OpaquePointer
}

/// A cancel request, ready to be sent by a thread that may block.
///
/// @unchecked: the pointer is used once, by the worker that sends and frees it.
private struct CancelRequest: @unchecked Sendable {
    private let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) {
        self.pointer = pointer
    }

    func send() {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            // A refused request needs no answer here: the statement goes on, and the grace period ends it.
            _ = PQcancel(pointer, buffer.baseAddress, 256)
        }
        discard()
    }

    func discard() {
        PQfreeCancel(pointer)
    }
}
