import PersistenceCore

@testable import PostgresEngine

/// Drives the rules of a pool step by step, with numbers for callers, and does what they ask for.
final class MachineDriver {
    typealias Machine = PoolStateMachine<FakeConnection, Int>

    var machine: Machine
    var now = PoolInstant(nanoseconds: 1_000_000_000_000)
    let server = FakeServer()
    /// Connections that are to be opened, the oldest first.
    var opening: [PoolConnectionID] = []
    var outcomes: [Int: Machine.Outcome] = [:]
    var tickets: [Int: PoolTicket] = [:]
    var requests: [Int: PoolRequest] = [:]
    var timer: Machine.Effects.Timer?
    var isDrained = false
    private var lastCaller = 0

    init(
        _ configuration: PostgresPoolConfiguration, checksAlways: Bool = false, readsTimeCheaply: Bool = true,
        seed: UInt64 = 1
    ) {
        let limits = PoolLimits(configuration, checksAlways: checksAlways, readsTimeCheaply: readsTimeCheaply)
        machine = Machine(limits: limits, seed: seed)
    }

    var statistics: PostgresPoolStatistics { machine.statistics }

    func perform(_ effects: Machine.Effects) {
        opening += effects.open
        for connection in effects.close { connection.closeNow() }
        for (waiter, outcome) in effects.resume { outcomes[waiter] = outcome }
        if let timer = effects.timer { self.timer = timer }
        if effects.isDrained { isDrained = true }
    }

    func update<R>(_ body: (inout Machine, PoolInstant, inout Machine.Effects) -> R) -> R {
        var effects = Machine.Effects()
        let result = body(&machine, now, &effects)
        perform(effects)
        return result
    }

    // MARK: Callers

    /// Asks for a connection on behalf of a new caller.
    func ask(patience: Duration = .seconds(30)) -> Int {
        lastCaller += 1
        let caller = lastCaller
        let request = PoolRequest(startedAt: now, deadline: now.advanced(by: patience))
        requests[caller] = request
        if let connection = machine.lendIdle(at: machine.limits.tickInterval == nil ? now : nil) {
            outcomes[caller] = .success(
                PoolGrant(connection: connection.takeUnretainedValue(), needsCheck: false, needsLivenessTest: false))
        } else {
            let step = update { $0.acquire(request, now: $1, effects: &$2) }
            follow(step, of: caller)
        }
        return caller
    }

    /// Asks for a connection, opens one if need be, and takes it.
    func lend() -> FakeConnection {
        let caller = ask()
        if outcomes[caller] == nil { open() }
        guard let connection = connection(of: caller) else {
            return FakeConnection(poolID: PoolConnectionID(index: -1, generation: 0), server: server)
        }
        return connection
    }

    private func follow(_ step: Machine.Step, of caller: Int) {
        switch step {
        case .granted(let grant): outcomes[caller] = .success(grant)
        case .failed(let error): outcomes[caller] = .failure(error)
        case .waiting(let ticket):
            tickets[caller] = ticket
            requests[caller]?.hasWaited = true
            outcomes[caller] = machine.attach(caller, to: ticket)
        }
    }

    func grant(of caller: Int) -> PoolGrant<FakeConnection>? {
        guard case .success(let grant) = outcomes[caller] else { return nil }
        return grant
    }

    func connection(of caller: Int) -> FakeConnection? { grant(of: caller)?.connection }

    func error(of caller: Int) -> PersistenceError? {
        guard case .failure(let error) = outcomes[caller] else { return nil }
        return error
    }

    func cancel(_ caller: Int) {
        guard let ticket = tickets[caller] else { return }
        update { $0.cancel(ticket, now: $1, effects: &$2) }
    }

    func confirm(_ caller: Int) -> FakeConnection? {
        guard let connection = connection(of: caller), let request = requests[caller] else { return nil }
        outcomes[caller] = nil
        let step = update { $0.confirm(connection, for: request, now: $1, effects: &$2) }
        follow(step, of: caller)
        return self.connection(of: caller)
    }

    func reject(_ caller: Int, _ reason: Machine.CloseReason) {
        guard let connection = connection(of: caller), let request = requests[caller] else { return }
        outcomes[caller] = nil
        let step = update { $0.reject(connection.poolID, reason, of: request, now: $1, effects: &$2) }
        requests[caller] = request.rejected
        follow(step, of: caller)
    }

    @discardableResult
    func release(
        _ connection: FakeConnection, _ disposition: PoolReleaseDisposition = .reusable
    ) -> Machine.ReleaseStep {
        if disposition == .reusable,
            machine.takeBack(connection, at: machine.limits.tickInterval == nil ? now : nil) != nil
        {
            return .done
        }
        return update { $0.release(connection, disposition: disposition, now: $1, effects: &$2).step }
    }

    // MARK: Connections

    func open(as other: FakeConnection? = nil) {
        guard !opening.isEmpty else { return }
        let id = opening.removeFirst()
        let connection = other ?? FakeConnection(poolID: id, server: server)
        update { $0.opened(id, connection, now: $1, effects: &$2) }
    }

    func failOpening(_ error: PersistenceError) {
        guard !opening.isEmpty else { return }
        let id = opening.removeFirst()
        update { $0.openFailed(id, error, now: $1, effects: &$2) }
    }

    func resetEnded(_ connection: FakeConnection, failure: Machine.CloseReason?) {
        update {
            $0.resetEnded(
                connection.poolID, failure: failure, wasReset: failure != .failedReset, now: $1, effects: &$2)
        }
    }

    func testEnded(_ connection: FakeConnection, isAlive: Bool) {
        update { $0.testEnded(connection.poolID, isAlive: isAlive, now: $1, effects: &$2) }
    }

    func expireCheck(_ connection: FakeConnection) {
        update { $0.expireCheck(connection.poolID, now: $1, effects: &$2) }
    }

    func takeForTest(unverifiedSince cutoff: PoolInstant) -> FakeConnection? {
        machine.takeForTest(unverifiedSince: cutoff)
    }

    /// The short path without the time.
    func lendIdle() -> FakeConnection? { machine.lendIdle(at: nil)?.takeUnretainedValue() }

    /// The short path without the time.
    func takeBack(_ connection: FakeConnection) -> Bool { machine.takeBack(connection, at: nil) != nil }

    // MARK: Time and life

    var timeToTimer: Duration {
        guard let at = machine.timerAt else { return .zero }
        return .nanoseconds(at.nanoseconds(since: now))
    }

    /// Moves the time to its end, stopping wherever the timer is to ring.
    func advance(by duration: Duration) {
        let end = now.advanced(by: duration)
        while let timer, machine.timerAt != nil, timer.generation == machine.timerGeneration, timer.at <= end {
            now = max(now, timer.at)
            self.timer = nil
            update { $0.timerRang(generation: timer.generation, now: $1, effects: &$2) }
        }
        now = end
    }

    func setMaintained(_ isMaintained: Bool) {
        update { $0.setMaintained(isMaintained, now: $1, effects: &$2) }
    }

    func sweep() {
        update { $0.sweep(now: $1, effects: &$2) }
    }

    func drain() {
        update { $0.drain(now: $1, effects: &$2) }
    }

    func close() -> Int {
        update { $0.close(now: $1, effects: &$2) }
    }
}
