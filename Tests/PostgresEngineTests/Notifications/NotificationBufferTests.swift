import Foundation
import PersistenceCore
import Testing

@testable import PostgresEngine

@Suite("The buffer of notifications")
struct NotificationBufferTests {
    private func notification(_ payload: Int) -> PostgresNotification {
        PostgresNotification(channel: "c", payload: String(payload), process: 1)
    }

    private let start = Date(timeIntervalSince1970: 1_000)

    @Test("a full buffer reports what it loses, where it loses it")
    func overflow() async throws {
        let buffer = NotificationBuffer(capacity: 2, completeUntil: start)
        for payload in 1...5 { buffer.add(notification(payload)) }
        #expect(try await buffer.next() == .notification(notification(1)))
        #expect(try await buffer.next() == .notification(notification(2)))
        buffer.add(notification(6))
        let gap = PostgresNotificationGap(reason: .overflow(lost: 3), since: start)
        #expect(try await buffer.next() == .gap(gap))
        #expect(try await buffer.next() == .notification(notification(6)))
    }

    @Test("it is bounded however often the connection is replaced meanwhile")
    func bounded() async throws {
        let buffer = NotificationBuffer(capacity: 2, completeUntil: start)
        for round in 0..<1_000 {
            buffer.add(notification(round))
            buffer.addReconnection()
        }
        buffer.finish(nil)
        var events = 0
        while try await buffer.next() != nil { events += 1 }
        #expect(events <= 4)
    }

    @Test("a gap tells since when, on the server's clock")
    func since() async throws {
        let buffer = NotificationBuffer(capacity: 2, completeUntil: start)
        buffer.noteComplete(start + 10)
        buffer.noteComplete(start + 5)
        buffer.addReconnection()
        let gap = PostgresNotificationGap(reason: .reconnected, since: start + 10)
        #expect(try await buffer.next() == .gap(gap))
    }

    @Test("the end comes after what is there, and a failure once")
    func finish() async throws {
        let buffer = NotificationBuffer(capacity: 2, completeUntil: start)
        buffer.add(notification(1))
        buffer.finish(PersistenceError(.authentication))
        #expect(try await buffer.next() == .notification(notification(1)))
        await #expect(throws: PersistenceError.self) { try await buffer.next() }
        #expect(try await buffer.next() == nil)
    }

    @Test("a second consumer is refused, and the first goes on")
    func twoConsumers() async throws {
        let buffer = NotificationBuffer(capacity: 2, completeUntil: start)
        try await withThrowingTaskGroup(of: Bool.self) { (group) async throws -> Void in
            for _ in 0..<2 {
                group.addTask {
                    do throws(PersistenceError) {
                        return try await buffer.next() != nil
                    } catch {
                        guard error.code == .invalidArgument else { throw error }
                        return false
                    }
                }
            }
            // One is refused as soon as both have asked; only then the other is served.
            #expect(try await group.next() == false)
            buffer.add(notification(1))
            #expect(try await group.next() == true)
        }
    }
}
