internal import CLibPQ
internal import DequeModule
internal import PersistenceCore

// During the data phase of COPY a flight without a waiter stands for its final result, so that deadlines and
// cancellation find it as they find any other; `endCopy` gives it its waiter.

/// What became of an attempt to pass data of a COPY on.
enum CopyProgress: Sendable {
    case done
    /// The socket takes or has no more for now.
    case blocked
    /// The server was asked to stop, or the connection is lost: the final result says why.
    case stopped
}

extension PostgresSession {
    /// Begins the data phase, after the server has answered COPY.
    ///
    /// - Parameters:
    ///   - id: A flight's name, from ``makeFlightID()``.
    ///   - deadline: When to ask the server to stop, on the monotonic clock in nanoseconds; 0 is never.
    ///   - interruption: Why the server has been asked to stop already: what comes is its answer to that.
    func beginCopyData(_ id: UInt64, deadline: UInt64, interruption: Interruption?) {
        let timer: UInt64 = withState { state in
            guard state.connection != nil else { return 0 }
            var flight = FlightRecord(id: id, continuation: nil)
            flight.deadline = deadline
            if interruption != nil {
                flight.reply.interruption = interruption
                flight.abandonAt = monotonicNanoseconds() &+ cancellationGrace
            }
            state.flights.append(flight)
            let timer = interruption == nil ? deadline : flight.abandonAt
            guard timer != 0, state.timer == 0 || timer < state.timer else { return 0 }
            state.timer = timer
            return timer
        }
        if timer != 0 { setTimer(timer) }
    }

    /// Ends the data phase and waits for the final result.
    ///
    /// - Parameter isComplete: Whether what was sent is to be kept.
    func endCopy(isComplete: Bool) async -> RawReply {
        await withUnsafeContinuation { continuation in
            var completions = Completions()
            var isLost = false
            let refusal: PersistenceError? = withState { state in
                guard let connection = state.connection, !state.flights.isEmpty else {
                    return state.closeReason ?? PersistenceError(.connection, "the connection is closed")
                }
                state.flights[0].continuation = continuation
                if state.copyPhase == .sending {
                    isLost = PQputCopyEnd(connection, isComplete ? nil : "the client has ended the transfer") != 1
                    if state.flush() == true { watchForWriting(&state) }
                }
                state.copyPhase = .none
                resumeReading(&state)
                // The answer can be in libpq's buffer already, and then the socket has nothing to announce.
                if !isLost { isLost = !state.advance(connection, &completions) }
                return nil
            }
            if let refusal { continuation.resume(returning: RawReply(failure: refusal)) }
            completions.resume()
            if isLost {
                close(
                    reason: PersistenceError(
                        .connection, "the connection was lost during COPY", retrySafety: .unknown))
            }
        }
    }

    /// Gives up a COPY whose data nobody will take: the connection cannot be used for anything else, so it is closed.
    func abandonCopy(_ id: UInt64) {
        // Closing alone would be noticed by the server only when it sends the next row.
        interrupt(id, .task)
        close(
            reason: PersistenceError(
                .connection, "the data of a COPY was not read to its end, so the connection was closed"))
    }
}

// MARK: - Sending

extension PostgresSession {
    /// Sends the first bytes, and waits until the socket has taken them.
    ///
    /// - Returns: `false` when the transfer has ended before its time: the final result says why.
    func sendCopyData(_ bytes: borrowing PostgresWriter, first count: Int) async -> Bool {
        var offset = 0
        while offset < count {
            // Large rows are cut, so that libpq never holds more than a piece.
            let end = min(offset + PostgresCopyWriter.piece, count)
            switch put(bytes, offset..<end) {
            case .done: offset = end
            case .blocked:
                offset = end
                await untilWritable()
            case .stopped: return false
            }
        }
        return withState { state in state.connection != nil && state.flights.first?.reply.interruption == nil }
    }

    private func put(_ bytes: borrowing PostgresWriter, _ range: Range<Int>) -> CopyProgress {
        bytes.withBytes { bytes in
            let piece = UnsafeRawBufferPointer(rebasing: bytes[range])
            return withState { state in
                guard let connection = state.connection, state.flights.first?.reply.interruption == nil,
                    PQputCopyData(
                        connection, piece.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(piece.count)) == 1
                else { return .stopped }
                switch state.flush() {
                case false?: return .done
                case true?: return .blocked
                case nil: return .stopped
                }
            }
        }
    }

    private func untilWritable() async {
        await withUnsafeContinuation { continuation in
            let isWaiting = withState { state in
                guard state.connection != nil, state.flush() == true else { return false }
                state.copyWaiter = continuation
                watchForWriting(&state)
                return true
            }
            if !isWaiting { continuation.resume() }
        }
    }
}

// MARK: - Receiving

extension PostgresSession {
    /// Appends data that has arrived, up to about `limit` bytes.
    ///
    /// - Returns: `done` after the last byte, `blocked` when there can be more.
    func takeCopyData(_ chunk: inout [UInt8], limit: Int) -> CopyProgress {
        withState { state in
            guard let connection = state.connection else { return .stopped }
            var hasConsumed = false
            while chunk.count < limit {
                var row: UnsafeMutablePointer<CChar>?
                let length = PQgetCopyData(connection, &row, 1)
                switch length {
                case 1...:
                    chunk.append(contentsOf: UnsafeRawBufferPointer(start: row, count: Int(length)))
                    PQfreemem(row)
                case 0:
                    // Once for each call, so that a fast server cannot make the buffer grow without bound.
                    guard !hasConsumed else { return .blocked }
                    hasConsumed = true
                    guard PQconsumeInput(connection) == 1 else { return .stopped }
                case -1: return .done
                default: return .stopped
                }
            }
            return .blocked
        }
    }

    /// Waits until the socket has something to read.
    func untilReadable() async {
        await withUnsafeContinuation { continuation in
            let isWaiting = withState { state in
                guard state.connection != nil else { return false }
                state.copyWaiter = continuation
                resumeReading(&state)
                return true
            }
            if !isWaiting { continuation.resume() }
        }
    }

    /// Stops watching for input, so that the server waits until the reader goes on.
    func pauseReading(_ state: inout SessionState) {
        guard state.isReading else { return }
        state.isReading = false
        updateInterest(state)
    }

    private func resumeReading(_ state: inout SessionState) {
        guard !state.isReading else { return }
        state.isReading = true
        updateInterest(state)
    }
}
