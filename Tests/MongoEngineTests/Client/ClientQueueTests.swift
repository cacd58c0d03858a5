import Testing

@testable import MongoEngine

@Suite("The queue for clients")
struct ClientQueueTests {
    private typealias Queue = ClientQueue<String, Int>

    @Test("lends as many as there are, then makes callers wait in order")
    func order() {
        var queue = Queue(limit: 2, maximumWaiters: 10)
        #expect(queue.request() == .granted)
        #expect(queue.request() == .granted)
        #expect(queue.request() == .wait(1))
        #expect(queue.request() == .wait(2))
        #expect(queue.attach("a", to: 1) == nil)
        #expect(queue.attach("b", to: 2) == nil)
        #expect(queue.waiting == 2)
        #expect(queue.giveBack(granting: 7) == "a")
        #expect(queue.lent == 2)
        #expect(queue.giveBack(granting: 7) == "b")
        #expect(queue.giveBack(granting: 7) == nil)
        #expect(queue.giveBack(granting: 7) == nil)
        #expect(queue.lent == 0)
    }

    @Test("keeps an outcome for a caller who has not attached himself yet")
    func early() {
        var queue = Queue(limit: 1, maximumWaiters: 10)
        #expect(queue.request() == .granted)
        #expect(queue.request() == .wait(1))
        #expect(queue.giveBack(granting: 7) == nil)
        #expect(queue.lent == 1)
        #expect(queue.attach("a", to: 1) == 7)
        #expect(queue.waiting == 0)
    }

    @Test("forgets who leaves, and passes nothing to him")
    func leaving() {
        var queue = Queue(limit: 1, maximumWaiters: 10)
        #expect(queue.request() == .granted)
        #expect(queue.request() == .wait(1))
        #expect(queue.request() == .wait(2))
        _ = queue.attach("a", to: 1)
        _ = queue.attach("b", to: 2)
        #expect(queue.settle(1, 0) == (true, "a"))
        #expect(queue.settle(1, 0) == (false, nil))
        #expect(queue.giveBack(granting: 7) == "b")
    }

    @Test("refuses at once when too many wait, and everybody when it is closed")
    func limits() {
        var queue = Queue(limit: 1, maximumWaiters: 1)
        #expect(queue.request() == .granted)
        #expect(queue.request() == .wait(1))
        #expect(queue.request() == .tooManyWaiters)
        _ = queue.attach("a", to: 1)
        #expect(queue.close(refusing: 0) == ["a"])
        #expect(queue.request() == .closed)
        #expect(queue.giveBack(granting: 7) == nil)
        #expect(queue.lent == 0)
    }

    @Test("does not grow with callers that come and leave")
    func churn() {
        var queue = Queue(limit: 1, maximumWaiters: 10)
        #expect(queue.request() == .granted)
        for number in 1...10_000 as ClosedRange<UInt64> {
            #expect(queue.request() == .wait(number))
            _ = queue.attach("x", to: number)
            _ = queue.settle(number, 0)
        }
        #expect(queue.waiting == 0)
        #expect(queue.giveBack(granting: 7) == nil)
        #expect(queue.request() == .granted)
    }
}
