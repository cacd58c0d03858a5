import PersistenceCore

// MARK: The short paths

extension PoolStateMachine {
    /// Lends the warmest idle connection when nothing at all has to be done first.
    ///
    /// - Parameter reading: The time, or nil to live by the last tick.
    /// - Returns: The connection, which the machine keeps until it comes back; nil when ``acquire(_:now:effects:)`` must
    ///   decide.
    @inline(__always)
    mutating func lendIdle(at reading: PoolInstant?) -> Unmanaged<Connection>? {
        if let reading { touch(reading) }
        guard isTicking || limits.tickInterval == nil, !limits.checksAlways, let place = idle.last,
            let connection = slots[Int(place)].lendIfFit(at: time, livenessTestAge: limits.livenessTestAge)
        else { return nil }
        idle.removeLast()
        lentCount += 1
        counters.requests += 1
        counters.acquires += 1
        return connection
    }

    /// Takes a connection back when nothing at all has to be done with it.
    ///
    /// - Parameter reading: The time, or nil to live by the last tick.
    /// - Returns: When it was lent; nil when ``release(_:disposition:now:effects:)`` must decide.
    @inline(__always)
    mutating func takeBack(_ connection: Connection, at reading: PoolInstant?) -> PoolInstant? {
        if let reading { touch(reading) }
        let id = connection.poolID
        let index = Int(id.index)
        guard isTicking || limits.tickInterval == nil, !limits.resetsAlways, waiters.isEmpty,
            total <= limits.maximum, phase == .running, index < slots.count, connection.isUsable,
            let lentAt = slots[index].takeBackIfFit(generation: id.generation, at: time)
        else { return nil }
        lentCount -= 1
        idle.append(id.index)
        return lentAt
    }
}

extension PoolStateMachine.Slot {
    // Each in one access to the slot: every access to an element of the table asks whether the table is shared.

    @inline(__always)
    fileprivate mutating func lendIfFit(at time: PoolInstant, livenessTestAge: Int64) -> Unmanaged<Connection>? {
        guard time.nanoseconds - verifiedAt.nanoseconds < livenessTestAge, time < expiresAt,
            let connection, connection.isUsable
        else { return nil }
        state = .lent
        lentAt = time
        return .passUnretained(connection)
    }

    @inline(__always)
    fileprivate mutating func takeBackIfFit(generation: UInt32, at time: PoolInstant) -> PoolInstant? {
        guard self.generation == generation, state == .lent, time < expiresAt else { return nil }
        state = .idle
        idleSince = time
        verifiedAt = time
        return lentAt
    }
}

// MARK: Acquiring

extension PoolStateMachine {
    enum Step: Sendable {
        case granted(Grant)
        case waiting(PoolTicket)
        case failed(PersistenceError)
    }

    /// Begins a request, or goes on with one whose connection was rejected.
    mutating func acquire(_ request: PoolRequest, now: PoolInstant, effects: inout Effects) -> Step {
        noteActivity(now, &effects)
        if request.rejections == 0 { counters.requests += 1 }
        guard phase == .running else { return fail(.closedPool) }
        // A hook that refuses everything would otherwise open and close connections until the deadline.
        guard request.rejections <= limits.maximum + limits.overflow else { return fail(.everyConnectionRejected) }

        // A caller that has had its chance must not go on testing connections when its time is up.
        while request.rejections == 0 || now < request.deadline, let place = idle.popLast() {
            if let reason = reasonToClose(Int(place), now) {
                close(Int(place), reason, &effects)
            } else {
                balance(now, &effects)
                return .granted(grant(Int(place), to: request, now))
            }
        }
        balance(now, &effects)
        guard request.deadline > now else {
            counters.timedOutAcquires += 1
            effects.timeouts += 1
            return .failed(timeoutError(of: request, now))
        }
        // While nothing is open, waiting for the next attempt would only delay an error that is known.
        if let error = lastConnectError, !error.mayVanishByItself, established == 0, now < retryAt {
            return fail(error)
        }
        // Whoever has a connection on its way does not wait for other callers.
        let room =
            openingCount + resettingCount + testingCount
            + (consecutiveFailures > 0 ? 0 : limits.maximum + limits.overflow - total)
        guard request.rejections > 0 || waiters.count - max(0, room) < limits.maximumWaiters else {
            counters.refusedAcquires += 1
            return .failed(refusal())
        }
        var request = request
        request.hasWaited = true
        let ticket = waiters.enqueue(request, atFront: request.rejections > 0)
        balance(now, &effects)
        setTimer(request.deadline, &effects)
        return .waiting(ticket)
    }

    /// Connects a waiting caller with its place in the queue.
    ///
    /// - Returns: The outcome when there is one already; the caller is then not suspended.
    mutating func attach(_ waiter: Waiter, to ticket: PoolTicket) -> Outcome? {
        waiters.attach(waiter, to: ticket)
    }

    /// Ends a caller's wait.
    ///
    /// Nothing happens when a connection or an error was faster.
    mutating func cancel(_ ticket: PoolTicket, now: PoolInstant, effects: inout Effects) {
        guard waiters.isWaiting(ticket) else { return }
        touch(now)
        counters.cancelledAcquires += 1
        let error = PersistenceError(.cancelled, operation: "acquire", retrySafety: .safe)
        settle(ticket, .failure(error), &effects)
    }

    /// Gives a connection to the caller that has tested it.
    mutating func confirm(
        _ connection: Connection, for request: PoolRequest, now: PoolInstant, effects: inout Effects
    ) -> Step {
        noteActivity(now, &effects)
        checkingCallers -= 1
        guard let index = slot(connection.poolID, in: .checking) else {
            // The test's time ran out, or the pool was closed, in the moment it succeeded.
            return acquire(request.rejected, now: now, effects: &effects)
        }
        guard phase == .running else {
            close(index, .shutdown, &effects)
            return fail(.closedPool)
        }
        checkingCount -= 1
        slots[index].verifiedAt = now
        lend(index, to: request, now)
        return .granted(Grant(connection: connection, needsCheck: false, needsLivenessTest: false))
    }

    /// Closes a connection that a caller has found unfit, and finds another for it.
    mutating func reject(
        _ id: PoolConnectionID, _ reason: CloseReason, of request: PoolRequest, now: PoolInstant,
        effects: inout Effects
    ) -> Step {
        checkingCallers -= 1
        closeIfPresent(id, in: .checking, reason, &effects)
        return acquire(request.rejected, now: now, effects: &effects)
    }

    /// Closes a connection whose test was cut short by the caller's cancellation, and ends the request.
    mutating func abandon(_ id: PoolConnectionID, now: PoolInstant, effects: inout Effects) {
        touch(now)
        checkingCallers -= 1
        counters.cancelledAcquires += 1
        closeIfPresent(id, in: .checking, .discarded, &effects)
        balance(now, &effects)
    }

    private mutating func fail(_ error: PersistenceError) -> Step {
        counters.failedAcquires += 1
        return .failed(error)
    }

    private func reasonToClose(_ index: Int, _ now: PoolInstant) -> CloseReason? {
        if now >= slots[index].expiresAt { return .lifetime }
        return slots[index].connection?.isUsable == true ? nil : .discarded
    }

    /// Hands out a connection that is in no list any more.
    mutating func grant(_ index: Int, to request: PoolRequest, _ now: PoolInstant) -> Grant {
        // Not nil: a slot gets its connection when it leaves `opening`, and loses it when it becomes `free`.
        let connection = slots[index].connection!
        let isOld = now.nanoseconds(since: slots[index].verifiedAt) >= limits.livenessTestAge
        guard isOld || limits.checksAlways else {
            lend(index, to: request, now)
            return Grant(connection: connection, needsCheck: false, needsLivenessTest: false)
        }
        slots[index].state = .checking
        checkingCount += 1
        checkingCallers += 1
        if isOld { counters.livenessTests += 1 }
        return Grant(connection: connection, needsCheck: true, needsLivenessTest: isOld)
    }

    private mutating func lend(_ index: Int, to request: PoolRequest, _ now: PoolInstant) {
        slots[index].state = .lent
        slots[index].lentAt = now
        lentCount += 1
        let waited = now.nanoseconds(since: request.startedAt)
        counters.acquires += 1
        acquireNanoseconds &+= waited
        if request.hasWaited {
            counters.emptyAcquires += 1
            emptyWaitNanoseconds &+= waited
        }
    }
}

// MARK: Releasing

extension PoolStateMachine {
    /// What the driver must do with a connection that came back.
    enum ReleaseStep: Sendable {
        case done
        /// To be reset, then reported with ``resetEnded(_:succeeded:refused:now:effects:)``.
        case reset
    }

    /// Takes a connection back.
    ///
    /// One that is not lent, because it was returned already or the pool closed it, is ignored.
    ///
    /// - Returns: What to do, and for how long the connection was lent.
    mutating func release(
        _ connection: Connection, disposition: PoolReleaseDisposition, now: PoolInstant, effects: inout Effects
    ) -> (step: ReleaseStep, used: Int64?) {
        noteActivity(now, &effects)
        guard let index = slot(connection.poolID, in: .lent) else {
            cutOffConnections.removeAll { $0 === connection }
            return (.done, nil)
        }
        let used = now.nanoseconds(since: slots[index].lentAt)
        let isSurplus = total > limits.maximum && waiters.isEmpty
        if phase != .running {
            close(index, .shutdown, &effects)
        } else if disposition == .discard || !connection.isUsable {
            close(index, .discarded, &effects)
        } else if now >= slots[index].expiresAt {
            close(index, .lifetime, &effects)
        } else if isSurplus {
            close(index, .overflow, &effects)
        } else {
            lentCount -= 1
            slots[index].idleSince = now
            slots[index].verifiedAt = now
            if disposition == .needsReset || limits.resetsAlways {
                slots[index].state = .resetting
                resettingCount += 1
                return (.reset, used)
            }
            park(index, now, &effects)
        }
        balance(now, &effects)
        return (.done, used)
    }

    /// Takes note of a reset's end.
    mutating func resetEnded(
        _ id: PoolConnectionID, failure: CloseReason?, wasReset: Bool, now: PoolInstant, effects: inout Effects
    ) {
        noteActivity(now, &effects)
        guard let index = slot(id, in: .resetting) else { return }
        if wasReset { counters.resets += 1 }
        if let failure {
            close(index, failure, &effects)
        } else if phase != .running {
            close(index, .shutdown, &effects)
        } else if slots[index].connection?.isUsable != true {
            close(index, .discarded, &effects)
        } else {
            resettingCount -= 1
            slots[index].idleSince = now
            slots[index].verifiedAt = now
            park(index, now, &effects)
        }
        balance(now, &effects)
    }

    /// Gives a connection that is in no list to the first who waits, or keeps it for the next.
    mutating func park(_ index: Int, _ now: PoolInstant, _ effects: inout Effects) {
        if let (ticket, request) = waiters.first {
            settle(ticket, .success(grant(index, to: request, now)), &effects)
            return
        }
        slots[index].state = .idle
        let since = slots[index].idleSince
        // Nearly always the last place: only a connection that was tested in the background comes back colder.
        var position = idle.count
        while position > 0, slots[Int(idle[position - 1])].idleSince > since { position -= 1 }
        idle.insert(Int32(index), at: position)
        if total > limits.maximum {
            idle.remove(at: position)
            close(index, .overflow, &effects)
        }
    }

    mutating func settle(_ ticket: PoolTicket, _ outcome: Outcome, _ effects: inout Effects) {
        if let waiter = waiters.settle(ticket, with: outcome) {
            effects.resume.append((waiter, outcome))
        }
    }
}

// MARK: Slots

extension PoolStateMachine {
    func slot(_ id: PoolConnectionID, in state: SlotState) -> Int? {
        let index = Int(id.index)
        guard slots.indices.contains(index), slots[index].generation == id.generation, slots[index].state == state
        else { return nil }
        return index
    }

    /// Closes the connection of a slot, which must be in no list any more.
    mutating func close(_ index: Int, _ reason: CloseReason, _ effects: inout Effects) {
        if let connection = slots[index].connection { effects.close.append(connection) }
        switch reason {
        case .lifetime: counters.maximumLifetimeCloses += 1
        case .idle: counters.idleCloses += 1
        case .overflow: counters.overflowCloses += 1
        case .discarded: counters.discards += 1
        case .failedTest: counters.failedLivenessTests += 1
        case .failedReset: counters.failedResets += 1
        case .refusedByHook: counters.hookRefusals += 1
        case .shutdown: counters.shutdownCloses += 1
        }
        free(index, &effects)
    }

    mutating func closeIfPresent(
        _ id: PoolConnectionID, in state: SlotState, _ reason: CloseReason, _ effects: inout Effects
    ) {
        if let index = slot(id, in: state) { close(index, reason, &effects) }
    }

    /// Empties a slot and leaves its place to another connection.
    mutating func free(_ index: Int, _ effects: inout Effects) {
        switch slots[index].state {
        case .opening: openingCount -= 1
        case .checking: checkingCount -= 1
        case .lent: lentCount -= 1
        case .resetting: resettingCount -= 1
        case .testing: testingCount -= 1
        case .free, .idle: break
        }
        total -= 1
        slots[index].connection = nil
        slots[index].state = .free
        slots[index].generation &+= 1
        freeSlots.append(Int32(index))
        if phase != .running && total == 0 { effects.isDrained = true }
    }
}
