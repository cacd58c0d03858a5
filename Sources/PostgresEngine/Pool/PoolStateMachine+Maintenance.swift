import PersistenceCore

// MARK: Maintenance

extension PoolStateMachine {
    /// Begins or ends to keep the minimum.
    mutating func setMaintained(_ isMaintained: Bool, now: PoolInstant, effects: inout Effects) {
        touch(now)
        self.isMaintained = isMaintained
        balance(now, &effects)
    }

    /// Closes idle connections that are too old or no longer needed, and replaces what the minimum needs.
    mutating func sweep(now: PoolInstant, effects: inout Effects) {
        touch(now)
        var kept: [Int32] = []
        kept.reserveCapacity(idle.count)
        let places = idle
        idle.removeAll(keepingCapacity: true)
        // The coldest come first, so that the warmest stay.
        for place in places {
            let slot = slots[Int(place)]
            if now >= slot.expiresAt {
                close(Int(place), .lifetime, &effects)
            } else if slot.connection?.isUsable != true {
                close(Int(place), .discarded, &effects)
            } else if now.nanoseconds(since: slot.idleSince) >= limits.idleTimeout && total > limits.minimum {
                close(Int(place), .idle, &effects)
            } else {
                kept.append(place)
            }
        }
        idle = kept
        balance(now, &effects)
    }

    /// Takes the coldest idle connection that has shown no sign of life since `cutoff`, to be tested.
    mutating func takeForTest(unverifiedSince cutoff: PoolInstant) -> Connection? {
        guard phase == .running,
            let position = idle.firstIndex(where: { slots[Int($0)].verifiedAt <= cutoff })
        else { return nil }
        let index = Int(idle.remove(at: position))
        slots[index].state = .testing
        testingCount += 1
        counters.livenessTests += 1
        return slots[index].connection
    }

    /// Takes note of a background test's end.
    ///
    /// The connection keeps its rank: a test is not a use.
    mutating func testEnded(_ id: PoolConnectionID, isAlive: Bool, now: PoolInstant, effects: inout Effects) {
        touch(now)
        guard let index = slot(id, in: .testing) else { return }
        if !isAlive || slots[index].connection?.isUsable != true {
            close(index, .failedTest, &effects)
        } else if phase != .running {
            close(index, .shutdown, &effects)
        } else {
            testingCount -= 1
            slots[index].verifiedAt = now
            park(index, now, &effects)
        }
        balance(now, &effects)
    }

    /// Closes a connection whose test or reset takes too long, which makes it fail.
    mutating func expireCheck(_ id: PoolConnectionID, now: PoolInstant, effects: inout Effects) {
        touch(now)
        closeIfPresent(id, in: .checking, .failedTest, &effects)
        closeIfPresent(id, in: .testing, .failedTest, &effects)
        closeIfPresent(id, in: .resetting, .failedReset, &effects)
        balance(now, &effects)
    }
}

// MARK: Shutdown

extension PoolStateMachine {
    /// Stops lending: whoever waits fails, what is idle is closed, what is being opened is given up.
    mutating func drain(now: PoolInstant, effects: inout Effects) {
        touch(now)
        guard phase == .running else {
            effects.isDrained = total == 0
            return
        }
        phase = .draining
        isMaintained = false
        isTicking = false
        timerGeneration += 1
        timerAt = nil
        effects.cancelsOpening = true
        for ticket in waiters.tickets(where: { _ in true }) {
            counters.failedAcquires += 1
            settle(ticket, .failure(.closedPool), &effects)
        }
        let places = idle
        idle.removeAll()
        for place in places { close(Int(place), .shutdown, &effects) }
        if total == 0 { effects.isDrained = true }
    }

    /// Closes every connection, those in use included.
    ///
    /// - Returns: How many were in use.
    mutating func close(now: PoolInstant, effects: inout Effects) -> Int {
        drain(now: now, effects: &effects)
        phase = .closed
        let lent = lentCount + checkingCount
        cutOff += lent
        for index in slots.indices {
            guard let connection = slots[index].connection else { continue }
            // Whoever has it relies on the pool to keep it.
            if slots[index].state == .lent { cutOffConnections.append(connection) }
            close(index, .shutdown, &effects)
        }
        return lent
    }
}

// MARK: Statistics

extension PoolStateMachine {
    var counts: Counts {
        Counts(
            idle: idle.count, used: lentCount + resettingCount + testingCount + checkingCount,
            waiters: waiters.count + checkingCallers)
    }

    /// The counts, when a short path is to report them: not more often than anybody looks at them.
    ///
    /// The last change is reported by the next tick.
    mutating func countsDue(at now: PoolInstant) -> Counts? {
        guard limits.tickInterval == nil || now.nanoseconds(since: countsReportedAt) >= 10_000_000 else { return nil }
        countsReportedAt = now
        return counts
    }

    var statistics: PostgresPoolStatistics {
        var statistics = counters
        statistics.maximum = limits.maximum
        statistics.minimum = limits.minimum
        statistics.total = total
        statistics.constructing = openingCount
        statistics.idle = idle.count
        statistics.acquired = lentCount
        statistics.inMaintenance = resettingCount + testingCount + checkingCount
        statistics.waiters = waiters.count + checkingCallers
        statistics.acquireDuration = .nanoseconds(acquireNanoseconds)
        statistics.emptyAcquireWait = .nanoseconds(emptyWaitNanoseconds)
        return statistics
    }
}
