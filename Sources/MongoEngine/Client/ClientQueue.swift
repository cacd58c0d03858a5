internal import DequeModule

/// Who may use a client, and who waits for one: callers are served in the order they come, and any may leave.
///
/// A place is taken before its caller can be suspended, so that a cancellation always finds it: an outcome that comes
/// first is kept until the caller attaches itself.
struct ClientQueue<Waiter: Sendable, Outcome: Sendable> {
    enum Answer: Equatable {
        case granted
        case wait(UInt64)
        case tooManyWaiters
        case closed
    }

    private enum Place {
        case reserved
        case attached(Waiter)
        case decided(Outcome)
    }

    let limit: Int
    let maximumWaiters: Int
    private(set) var lent = 0
    private(set) var isClosed = false
    private(set) var waiting = 0
    private var places: [UInt64: Place] = [:]
    /// The tickets in order; one whose caller has left is skipped.
    private var order: Deque<UInt64> = []
    private var lastTicket: UInt64 = 0

    init(limit: Int, maximumWaiters: Int) {
        self.limit = limit
        self.maximumWaiters = maximumWaiters
    }

    /// Takes a client for somebody who does not wait.
    ///
    /// - Returns: Whether there was one.
    mutating func takeAtOnce() -> Bool {
        guard !isClosed, lent < limit, waiting == 0 else { return false }
        lent += 1
        return true
    }

    mutating func request() -> Answer {
        if isClosed { return .closed }
        if takeAtOnce() { return .granted }
        guard waiting < maximumWaiters else { return .tooManyWaiters }
        lastTicket += 1
        places[lastTicket] = .reserved
        order.append(lastTicket)
        waiting += 1
        return .wait(lastTicket)
    }

    /// Tells how to reach the caller.
    ///
    /// - Returns: The outcome when there is one already; the caller is then not suspended.
    mutating func attach(_ waiter: Waiter, to ticket: UInt64) -> Outcome? {
        if case .decided(let outcome) = places[ticket] {
            places[ticket] = nil
            return outcome
        }
        places[ticket] = .attached(waiter)
        return nil
    }

    /// Ends a wait.
    ///
    /// - Returns: Whether it had not ended before, and whom to tell, unless the caller is still to attach itself.
    mutating func settle(_ ticket: UInt64, _ outcome: Outcome) -> (isFirst: Bool, waiter: Waiter?) {
        switch places[ticket] {
        case .attached(let waiter):
            places[ticket] = nil
            forget()
            return (true, waiter)
        case .reserved:
            places[ticket] = .decided(outcome)
            forget()
            return (true, nil)
        case .decided, nil:
            return (false, nil)
        }
    }

    private mutating func forget() {
        waiting -= 1
        // Callers that leave in masses must not make the queue grow.
        if order.count > 2 * waiting + 64 {
            order.removeAll { ticket in
                switch places[ticket] {
                case .reserved, .attached: false
                case .decided, nil: true
                }
            }
        }
    }

    /// Takes a client back, and passes it on to whoever has waited longest.
    mutating func giveBack(granting outcome: Outcome) -> Waiter? {
        while let ticket = order.popFirst() {
            let (isFirst, waiter) = settle(ticket, outcome)
            // Who has not attached himself yet finds the client at his place.
            if isFirst { return waiter }
        }
        lent -= 1
        return nil
    }

    /// Lends no more.
    ///
    /// - Returns: Those who waited in vain.
    mutating func close(refusing outcome: Outcome) -> [Waiter] {
        isClosed = true
        var refused: [Waiter] = []
        while let ticket = order.popFirst() {
            if let waiter = settle(ticket, outcome).waiter { refused.append(waiter) }
        }
        return refused
    }
}
