import PersistenceCore

extension PoolStateMachine {
    /// Begins as many connections as those who wait, and the minimum, need and may have.
    mutating func balance(_ now: PoolInstant, _ effects: inout Effects) {
        guard phase == .running else { return }
        // Connections that are being opened or reset will serve somebody who waits. Those in a background test may be
        // dead, and nobody should wait for that to be found out.
        let uncovered = max(0, waiters.count - openingCount - resettingCount)
        var target = min(total + uncovered, limits.maximum + limits.overflow)
        if isMaintained { target = max(target, limits.minimum) }
        guard target > total else { return }
        guard now >= retryAt else {
            setTimer(retryAt, &effects)
            return
        }
        // One attempt is enough to find out whether a server that refused is back.
        let concurrent = consecutiveFailures > 0 ? 1 : limits.maximumConcurrentConnects
        for _ in 0..<max(0, min(target - total, concurrent - openingCount)) {
            effects.open.append(reserveSlot())
        }
    }

    private mutating func reserveSlot() -> PoolConnectionID {
        let index: Int
        if let place = freeSlots.popLast() {
            index = Int(place)
        } else {
            index = slots.count
            slots.append(Slot())
        }
        slots[index].state = .opening
        slots[index].failuresBefore = failureCount
        openingCount += 1
        total += 1
        return PoolConnectionID(index: Int32(index), generation: slots[index].generation)
    }

    /// Whether the pool still wants the connection that is being opened under `id`.
    func isOpening(_ id: PoolConnectionID) -> Bool {
        phase == .running && slot(id, in: .opening) != nil
    }

    /// Takes a new connection in.
    mutating func opened(
        _ id: PoolConnectionID, _ connection: Connection, now: PoolInstant, effects: inout Effects
    ) {
        noteActivity(now, &effects)
        guard let index = slot(id, in: .opening) else {
            effects.close.append(connection)
            return
        }
        guard connection.poolID == id else {
            effects.close.append(connection)
            let error = PersistenceError(.internal, "a new connection goes by another name than the pool gave it")
            openFailed(id, error, now: now, effects: &effects)
            return
        }
        counters.newConnections += 1
        slots[index].connection = connection
        guard phase == .running else {
            close(index, .shutdown, &effects)
            return
        }
        consecutiveFailures = 0
        retryAt = PoolInstant(nanoseconds: .min)
        lastConnectError = nil
        openingCount -= 1
        slots[index].idleSince = now
        slots[index].verifiedAt = now
        slots[index].expiresAt = now.advanced(by: limits.lifetime)
            .advanced(by: random.nanoseconds(below: limits.lifetimeJitter))
        park(index, now, &effects)
        balance(now, &effects)
    }

    /// Takes note of a connection that could not be opened.
    mutating func openFailed(
        _ id: PoolConnectionID, _ error: PersistenceError, now: PoolInstant, effects: inout Effects
    ) {
        noteActivity(now, &effects)
        guard let index = slot(id, in: .opening) else { return }
        let isNews = slots[index].failuresBefore == failureCount
        counters.failedConnects += 1
        free(index, &effects)
        guard phase == .running else { return }
        lastConnectError = error
        // Attempts that were under way together fail together, which is one failure.
        if isNews {
            failureCount += 1
            consecutiveFailures += 1
            retryAt = now.advanced(by: backoff())
        }
        if !error.mayVanishByItself && established == 0 {
            for ticket in waiters.tickets(where: { _ in true }) {
                counters.failedAcquires += 1
                settle(ticket, .failure(error), &effects)
            }
        }
        balance(now, &effects)
    }

    /// The wait after the latest failure: doubled with each, and between half and the whole of that by chance.
    private mutating func backoff() -> Int64 {
        let doublings = min(consecutiveFailures - 1, 40)
        let (doubled, overflow) = limits.retryDelay.multipliedReportingOverflow(by: Int64(1) << Int64(doublings))
        let delay = min(overflow ? .max : doubled, limits.retryDelayLimit)
        return delay - random.nanoseconds(below: delay / 2)
    }
}

extension PersistenceError {
    /// Whether a failure to connect may be over at the next attempt, with nobody doing anything about it.
    var mayVanishByItself: Bool {
        switch code {
        case .connection, .timeout, .cancelled, .unavailable, .tooManyConnections, .resourceExhausted, .readOnly: true
        default: false
        }
    }
}
