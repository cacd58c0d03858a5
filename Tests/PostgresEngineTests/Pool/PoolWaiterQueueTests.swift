import Testing

@testable import PostgresEngine

@Suite("Queue of waiters")
struct PoolWaiterQueueTests {
    private typealias Queue = PoolWaiterQueue<Int, String>

    private func request(deadline: Int64 = 0) -> PoolRequest {
        PoolRequest(startedAt: PoolInstant(nanoseconds: 0), deadline: PoolInstant(nanoseconds: deadline))
    }

    private func drain(_ queue: inout Queue) -> [Int] {
        var order: [Int] = []
        while let (ticket, _) = queue.first {
            if let waiter = queue.settle(ticket, with: "done") { order.append(waiter) }
        }
        return order
    }

    @Test("serves in order, whoever leaves in between, and lets a retry in at the front")
    func order() {
        var queue = Queue()
        let tickets = (0..<5).map { number in
            let ticket = queue.enqueue(request(), atFront: false)
            #expect(queue.attach(number, to: ticket) == nil)
            return ticket
        }
        #expect(queue.count == 5)
        #expect(queue.settle(tickets[0], with: "cancelled") == 0)
        #expect(queue.settle(tickets[2], with: "cancelled") == 2)
        #expect(queue.settle(tickets[4], with: "cancelled") == 4)
        let retry = queue.enqueue(request(), atFront: true)
        #expect(queue.attach(9, to: retry) == nil)
        let last = queue.enqueue(request(), atFront: false)
        #expect(queue.attach(10, to: last) == nil)
        #expect(drain(&queue) == [9, 1, 3, 10])
        #expect(queue.isEmpty)
    }

    @Test("keeps an outcome that comes before the caller is suspended")
    func early() {
        var queue = Queue()
        let ticket = queue.enqueue(request(), atFront: false)
        #expect(queue.isWaiting(ticket))
        #expect(queue.settle(ticket, with: "early") == nil)
        #expect(!queue.isWaiting(ticket))
        #expect(queue.isEmpty)
        // The place is still taken, so that the outcome cannot reach another caller.
        let other = queue.enqueue(request(), atFront: false)
        #expect(other != ticket)
        #expect(queue.attach(1, to: ticket) == "early")
        #expect(queue.isWaiting(other))
    }

    @Test("does not take an old ticket for a new one of the same place")
    func generations() {
        var queue = Queue()
        let old = queue.enqueue(request(), atFront: false)
        #expect(queue.attach(1, to: old) == nil)
        #expect(queue.settle(old, with: "done") == 1)
        let new = queue.enqueue(request(), atFront: false)
        #expect(new != old)
        #expect(!queue.isWaiting(old))
        #expect(queue.isWaiting(new))
    }

    @Test("knows the earliest deadline and finds the callers whose time is up")
    func deadlines() {
        var queue = Queue()
        #expect(queue.earliestDeadline == nil)
        let tickets = [30, 10, 20].map { queue.enqueue(request(deadline: $0), atFront: false) }
        #expect(queue.earliestDeadline == PoolInstant(nanoseconds: 10))
        #expect(queue.tickets { $0.deadline <= PoolInstant(nanoseconds: 20) } == [tickets[1], tickets[2]])
    }
}
