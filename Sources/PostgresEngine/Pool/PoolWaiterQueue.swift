import PersistenceCore

/// What a caller asks of the pool, carried from one attempt to the next.
struct PoolRequest: Sendable {
    var startedAt: PoolInstant
    /// When the caller gives up.
    var deadline: PoolInstant
    /// How many connections were given to it and turned out to be dead or refused.
    var rejections = 0
    /// Whether no idle connection was there for it.
    var hasWaited = false

    /// The same request after one more connection has turned out to be unfit.
    var rejected: PoolRequest {
        var copy = self
        copy.rejections += 1
        return copy
    }
}

/// Names a place in the queue; a ticket that has been served names nothing.
struct PoolTicket: Hashable, Sendable {
    fileprivate let index: Int
    fileprivate let generation: UInt32
}

/// The callers that wait, in order, any of whom may leave at any time.
///
/// A place is taken before its caller can be suspended, so that a cancellation always finds the place: an outcome that
/// comes first is kept until the caller attaches itself.
struct PoolWaiterQueue<Waiter: Sendable, Outcome: Sendable> {
    private enum Content {
        case free
        case reserved
        case attached(Waiter)
        case decided(Outcome)
    }

    private struct Node {
        var content = Content.free
        var generation: UInt32 = 0
        var previous = -1
        var next = -1
        var request: PoolRequest
    }

    private var nodes: [Node] = []
    private var freeNodes: [Int] = []
    private var head = -1
    private var tail = -1

    /// How many callers wait for an outcome.
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    /// Takes a place at the end, or at the front.
    mutating func enqueue(_ request: PoolRequest, atFront: Bool) -> PoolTicket {
        let index: Int
        if let free = freeNodes.popLast() {
            index = free
        } else {
            index = nodes.count
            nodes.append(Node(request: request))
        }
        nodes[index].content = .reserved
        nodes[index].request = request
        nodes[index].previous = atFront ? -1 : tail
        nodes[index].next = atFront ? head : -1
        if nodes[index].next >= 0 { nodes[nodes[index].next].previous = index } else { tail = index }
        if nodes[index].previous >= 0 { nodes[nodes[index].previous].next = index } else { head = index }
        count += 1
        return PoolTicket(index: index, generation: nodes[index].generation)
    }

    /// Tells how to reach the caller, who must do this once: until then the ticket's place is not given away.
    ///
    /// - Returns: The outcome when there is one already; the caller is then not suspended.
    mutating func attach(_ waiter: Waiter, to ticket: PoolTicket) -> Outcome? {
        if case .decided(let outcome) = nodes[ticket.index].content {
            free(ticket.index)
            return outcome
        }
        nodes[ticket.index].content = .attached(waiter)
        return nil
    }

    /// The request of the first in the queue.
    var first: (ticket: PoolTicket, request: PoolRequest)? {
        guard head >= 0 else { return nil }
        return (PoolTicket(index: head, generation: nodes[head].generation), nodes[head].request)
    }

    /// Takes a caller out of the queue.
    ///
    /// - Returns: The caller to be told, when it is suspended.
    mutating func settle(_ ticket: PoolTicket, with outcome: Outcome) -> Waiter? {
        unlink(ticket.index)
        if case .attached(let waiter) = nodes[ticket.index].content {
            free(ticket.index)
            return waiter
        }
        nodes[ticket.index].content = .decided(outcome)
        return nil
    }

    /// Whether the ticket's caller still waits.
    func isWaiting(_ ticket: PoolTicket) -> Bool {
        guard nodes.indices.contains(ticket.index), nodes[ticket.index].generation == ticket.generation else {
            return false
        }
        switch nodes[ticket.index].content {
        case .reserved, .attached: return true
        case .free, .decided: return false
        }
    }

    /// The request of a caller that waits.
    func request(of ticket: PoolTicket) -> PoolRequest {
        nodes[ticket.index].request
    }

    /// The callers, first in the queue first.
    func tickets(where isIncluded: (PoolRequest) -> Bool) -> [PoolTicket] {
        var found: [PoolTicket] = []
        var index = head
        while index >= 0 {
            if isIncluded(nodes[index].request) {
                found.append(PoolTicket(index: index, generation: nodes[index].generation))
            }
            index = nodes[index].next
        }
        return found
    }

    /// The earliest deadline of all.
    var earliestDeadline: PoolInstant? {
        var earliest: PoolInstant?
        var index = head
        while index >= 0 {
            let deadline = nodes[index].request.deadline
            if earliest.map({ deadline < $0 }) ?? true { earliest = deadline }
            index = nodes[index].next
        }
        return earliest
    }

    private mutating func unlink(_ index: Int) {
        let (previous, next) = (nodes[index].previous, nodes[index].next)
        if previous >= 0 { nodes[previous].next = next } else { head = next }
        if next >= 0 { nodes[next].previous = previous } else { tail = previous }
        count -= 1
    }

    private mutating func free(_ index: Int) {
        nodes[index].content = .free
        nodes[index].generation &+= 1
        freeNodes.append(index)
    }
}
