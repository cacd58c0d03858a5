import Foundation
import PersistenceCore
import PersistenceTesting
import PostgresEngine
import Testing

@Suite("Notifications", .engineServer)
struct NotificationTests {
    private func channel() -> String { "Channel " + UUID().uuidString }

    private func payloads(_ count: Int, of events: PostgresNotifications) async throws -> [String] {
        var payloads: [String] = []
        for try await event in events {
            guard case .notification(let notification) = event else { continue }
            payloads.append(notification.payload)
            if payloads.count == count { break }
        }
        return payloads
    }

    @Test("what is notified after the subscription arrives in order, with channel and process")
    func delivers() async throws {
        try await EngineTestServer.with { database in
            let (first, second) = (channel(), channel())
            let events = try await database.notifications(on: [first, second])
            try await database.withConnection { (connection) async throws -> Void in
                try await connection.notify(first, payload: "ünï")
                try await connection.notify(second)
                var iterator = events.makeAsyncIterator()
                for (channel, payload) in [(first, "ünï"), (second, "")] {
                    guard case .notification(let notification) = try await iterator.next() else {
                        Issue.record("no notification came")
                        return
                    }
                    #expect(notification.channel == channel)
                    #expect(notification.payload == payload)
                    #expect(notification.process == connection.backendProcess)
                }
            }
            // The listening connection is not the pool's.
            #expect(database.statistics.total == 1)
        }
    }

    @Test("a transaction's notifications come with its COMMIT, or never")
    func transactional() async throws {
        struct Undo: Error {}
        try await EngineTestServer.with { (database) async throws -> Void in
            let channel = channel()
            let events = try await database.notifications(on: [channel])
            await #expect(throws: Undo.self) {
                try await database.withTransaction { transaction in
                    try await transaction.notify(channel, payload: "undone")
                    throw Undo()
                }
            }
            try await database.withTransaction { transaction in
                try await transaction.notify(channel, payload: "one")
                try await transaction.notify(channel, payload: "two")
            }
            #expect(try await payloads(2, of: events) == ["one", "two"])
        }
    }

    @Test("the longest payload arrives; a longer one, a NUL and impossible names are refused")
    func limits() async throws {
        try await EngineTestServer.with { database in
            let channel = channel()
            let events = try await database.notifications(on: [channel])
            let longest = String(repeating: "x", count: 7_999)
            try await database.notify(channel, payload: longest)
            #expect(try await payloads(1, of: events) == [longest])
            let tooLong = try await failure { try await database.notify(channel, payload: longest + "x") }
            #expect(tooLong.code == .tooLarge)
            #expect(tooLong.operation == "NOTIFY")
            let accents = String(repeating: "é", count: 4_000)
            let wide = try await failure { try await database.notify(channel, payload: accents) }
            #expect(wide.code == .tooLarge)
            let null = try await failure { try await database.notify(channel, payload: "a\0b") }
            #expect(null.code == .encoding)
            for name in ["", "a\0b", String(repeating: "c", count: 64)] {
                let notify = try await failure { try await database.notify(name) }
                #expect(notify.code == .invalidArgument)
                let listen = try await failure { _ = try await database.notifications(on: [name]) }
                #expect(listen.code == .invalidArgument)
            }
            let none = try await failure { _ = try await database.notifications(on: []) }
            #expect(none.code == .invalidArgument)
            var options = PostgresNotificationOptions()
            options.capacity = 0
            let capacity = try await failure { _ = try await database.notifications(on: [channel], options: options) }
            #expect(capacity.code == .invalidArgument)
        }
    }

    @Test("a lost connection is replaced, and the gap is reported before what comes next")
    func reconnects() async throws {
        // By its name its connection is told from those of tests that run at the same time.
        try await EngineTestServer.with({ $0.applicationName = "engine-tests-reconnects" }) { database in
            let channel = channel()
            var options = PostgresNotificationOptions()
            options.reconnectDelay = .milliseconds(1)
            let before = try await database.one("SELECT clock_timestamp()", as: Date.self)
            let events = try await database.notifications(on: [channel], options: options)
            try await database.execute(
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE pid <> pg_backend_pid() AND application_name = current_setting('application_name')
                    AND query = 'SELECT pg_catalog.clock_timestamp()' AND backend_start >= \(before)
                """)
            var iterator = events.makeAsyncIterator()
            guard case .gap(let gap) = try await iterator.next() else {
                Issue.record("no gap was reported")
                return
            }
            #expect(gap.reason == .reconnected)
            #expect(gap.since >= before)
            try await database.notify(channel, payload: "after")
            guard case .notification(let notification) = try await iterator.next() else {
                Issue.record("no notification came")
                return
            }
            #expect(notification.payload == "after")
        }
    }

    @Test("a slow consumer is told what it has missed")
    func overflow() async throws {
        try await EngineTestServer.with { database in
            let channel = channel()
            var options = PostgresNotificationOptions()
            options.capacity = 10
            let events = try await database.notifications(on: [channel], options: options)
            // So many come at once that nobody keeps up with a buffer of ten.
            let count = 5_000
            try await database.execute(
                "SELECT pg_notify(\(channel), n::text) FROM generate_series(1, \(count)) AS n")
            var seen = 0
            var lost = 0
            for try await event in events {
                switch event {
                case .notification: seen += 1
                case .gap(let gap):
                    guard case .overflow(let number) = gap.reason else { break }
                    lost = number
                }
                if lost > 0 || seen == count { break }
            }
            #expect(seen >= 10)
            #expect(lost > 0)
        }
    }

    @Test("the sequence ends when its task is cancelled, and can be taken up again")
    func cancel() async throws {
        try await EngineTestServer.with { database in
            let channel = channel()
            let events = try await database.notifications(on: [channel])
            let task = Task {
                var count = 0
                for try await _ in events { count += 1 }
                return count
            }
            task.cancel()
            #expect(try await task.value == 0)
            try await database.notify(channel, payload: "later")
            #expect(try await payloads(1, of: events) == ["later"])
        }
    }

    @Test("the sequence ends with the database, and its connection is gone")
    func shutdown() async throws {
        try await EngineTestServer.with { database in
            let events = try await database.notifications(on: [channel()])
            let task = Task { () async throws -> Bool in
                for try await _ in events {}
                return true
            }
            await database.shutdown(within: .seconds(5))
            #expect(try await task.value)
            let thrown = try await failure { _ = try await database.notifications(on: ["late"]) }
            #expect(thrown.code == .poolClosed)
        }
    }

    @Test("letting go of the sequence closes its connection")
    func letGo() async throws {
        try await EngineTestServer.with({ $0.applicationName = "engine-tests-let-go" }) { database in
            var events: PostgresNotifications? = try await database.notifications(on: [channel()])
            _ = events
            let count: PostgresStatement = """
                SELECT count(*) FROM pg_stat_activity WHERE application_name = 'engine-tests-let-go'
                """
            #expect(try await database.one(count, as: Int64.self) == 2)
            events = nil
            try await eventually("the connection is closed") { try await database.one(count, as: Int64.self) == 1 }
        }
    }
}

@Suite("Notifications and servers that go away", .engineServer)
struct NotificationServerTests {
    private func configuration(_ server: PostgresTestServer) throws -> PostgresConfiguration {
        try PostgresConfiguration(uri: server.url)
    }

    @Test("a killed server is waited for, and listened to again")
    func killed() async throws {
        try await PostgresTestServer.with { server in
            try await PostgresDatabase.with(configuration(server)) { database in
                var options = PostgresNotificationOptions()
                options.reconnectDelay = .milliseconds(5)
                options.maximumReconnectDelay = .milliseconds(50)
                let events = try await database.notifications(on: ["jobs"], options: options)
                try await server.kill()
                try await server.start()
                var iterator = events.makeAsyncIterator()
                guard case .gap(let gap) = try await iterator.next() else {
                    Issue.record("no gap was reported")
                    return
                }
                #expect(gap.reason == .reconnected)
                try await eventually("the pool has a connection again") {
                    do { try await database.notify("jobs", payload: "back") } catch { return false }
                    return true
                }
                guard case .notification(let notification) = try await iterator.next() else {
                    Issue.record("no notification came")
                    return
                }
                #expect(notification.payload == "back")
            }
        }
    }

    @Test("a connection that has gone silent is found and replaced")
    func silent() async throws {
        try await PostgresTestServer.with { server in
            try await PostgresDatabase.with(configuration(server)) { database in
                var options = PostgresNotificationOptions()
                options.keepAliveInterval = .milliseconds(20)
                options.keepAliveTimeout = .milliseconds(200)
                options.reconnectDelay = .milliseconds(1)
                let events = try await database.notifications(on: ["jobs"], options: options)
                let process = try await database.one(
                    "SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT pg_catalog.clock_timestamp%'",
                    as: Int32.self)
                // The process is stopped, so the socket stays open and nobody answers.
                try #require(kill(process, SIGSTOP) == 0)
                defer { kill(process, SIGCONT) }
                var iterator = events.makeAsyncIterator()
                guard case .gap(let gap) = try await iterator.next() else {
                    Issue.record("no gap was reported")
                    return
                }
                #expect(gap.reason == .reconnected)
                kill(process, SIGCONT)
            }
        }
    }

    @Test("a password that is no longer right ends the sequence with the error")
    func refused() async throws {
        try await PostgresTestServer.with { server in
            try await PostgresDatabase.with(configuration(server)) { database in
                var options = PostgresNotificationOptions()
                options.reconnectDelay = .milliseconds(1)
                let events = try await database.notifications(on: ["jobs"], options: options)
                let role = try PostgresIdentifier(server.username).quoted
                try await database.withConnection { connection in
                    try await connection.executeScript("ALTER ROLE \(role) PASSWORD 'another'")
                    try await connection.execute(
                        """
                        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                        WHERE pid <> pg_backend_pid() AND query LIKE 'SELECT pg_catalog.clock_timestamp%'
                        """)
                }
                let thrown = try await failure { for try await _ in events {} }
                #expect(thrown.code == .authentication)
            }
        }
    }
}
