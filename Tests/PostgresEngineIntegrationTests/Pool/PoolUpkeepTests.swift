import Logging
import PersistenceCore
import PersistenceTesting
import ServiceLifecycle
import Testing

@testable import PostgresEngine

private struct HookError: Error {}

@Suite("The upkeep of a pool", .privateServer, .timeLimit(.minutes(5)))
struct PoolUpkeepTests {
    @Test(
        "idle backends that were killed are replaced, and no caller hears of it",
        arguments: [Duration.zero, .seconds(3600)])
    func killedIdle(_ livenessTestAge: Duration) async throws {
        try await FaultServer.plain().withDatabase({ $0.pool.livenessTestAge = livenessTestAge }) {
            (database, observer) async throws in
            for round in 1...5 {
                let session = try await database.withConnection { $0.session }
                try await observer.terminate(session.backendProcess)
                if livenessTestAge > .zero {
                    // Without a test the pool relies on having seen the end.
                    try await eventually("the end has arrived") { !session.isAlive }
                }
                let value = try await database.one("SELECT \(round)", as: Int.self)
                #expect(value == round)
            }
            let statistics = database.statistics
            #expect(statistics.newConnections == 6)
            #expect(statistics.discards + statistics.failedLivenessTests == 5)
            #expect(statistics.failedAcquires == 0)
        }
    }

    @Test("a connection that is only half open is found by the liveness test")
    func halfOpen() async throws {
        let server = try await FaultServer.plain()
        try await TCPProxy.with(port: server.port) { (proxy) async throws in
            try await server.withDatabase(
                {
                    $0.pool.maximum = 2
                    $0.pool.livenessTestAge = .zero
                    $0.pool.livenessTestTimeout = .seconds(1)
                }, through: proxy
            ) { (database, observer) async throws in
                let process = try await database.withConnection { $0.backendProcess }
                proxy.freezeConnections()
                let next = try await database.withConnection { $0.backendProcess }
                #expect(next != process)
                #expect(database.statistics.failedLivenessTests >= 1)
                // The server does not know either that its client has gone.
                #expect(try await observer.sessions() >= 2)
                proxy.resetConnections()
            }
        }
    }

    @Test("connections are replaced when they reach their lifetime")
    func lifetime() async throws {
        try await FaultServer.plain().withDatabase({
            $0.pool.maximum = 1
            $0.pool.maximumLifetime = .milliseconds(200)
            $0.pool.lifetimeJitter = .zero
        }) { (database, _) async throws in
            let first = try await database.withConnection { $0.backendProcess }
            try await eventually("another connection serves") {
                try await database.withConnection { $0.backendProcess } != first
            }
            #expect(database.statistics.maximumLifetimeCloses >= 1)
        }
    }

    @Test("unused connections are closed down to the minimum, which is opened without being asked for")
    func idle() async throws {
        try await FaultServer.plain().withDatabase({
            $0.pool = PostgresPoolConfiguration(minimum: 1, maximum: 4)
            $0.pool.idleTimeout = .milliseconds(100)
            $0.pool.healthCheckInterval = .milliseconds(100)
        }) { (database, observer) async throws in
            try await eventually("the minimum is open") { try await observer.sessions() == 1 }
            try await database.withConnection { (_) async throws in
                try await database.withConnection { (_) async throws in
                    try await database.withConnection { _ in }
                }
            }
            #expect(database.statistics.newConnections >= 3)
            try await eventually("the others are closed") { try await observer.sessions() == 1 }
            #expect(database.statistics.idleCloses >= 2)
            #expect(database.statistics.total == 1)
        }
    }

    @Test("the background test finds a dead connection and replaces it for the minimum")
    func background() async throws {
        let server = try await FaultServer.plain()
        try await TCPProxy.with(port: server.port) { (proxy) async throws in
            try await server.withDatabase(
                {
                    $0.pool = PostgresPoolConfiguration(minimum: 2, maximum: 2)
                    $0.pool.livenessTestAge = .milliseconds(50)
                    $0.pool.livenessTestTimeout = .milliseconds(500)
                    $0.pool.healthCheckInterval = .milliseconds(100)
                }, through: proxy
            ) { (database, observer) async throws in
                try await eventually("two are open") { database.statistics.idle == 2 }
                proxy.freezeConnections()
                try await eventually("both were found", within: .seconds(30)) {
                    database.statistics.failedLivenessTests >= 2
                }
                try await eventually("both were replaced", within: .seconds(30)) { database.statistics.idle == 2 }
                // The backends of the frozen connections have not heard of their end.
                try await observer.terminateAll()
                try await eventually("those were replaced, too", within: .seconds(30)) {
                    try await observer.sessions() == 2
                }
            }
        }
    }

    // MARK: Hooks

    @Test("hooks prepare, refuse and count connections")
    func hooks() async throws {
        let server = try await FaultServer.plain()
        let log = Shared<[String]>([])
        let refusals = Shared(2)
        var hooks = PostgresPoolHooks()
        hooks.beforeConnect = { log.change { $0.append("connect") } }
        hooks.afterConnect = { connection in
            try await connection.executeScript("SET application_name = 'hooked'")
            log.change { $0.append("connected") }
        }
        hooks.beforeAcquire = { connection in
            let answer = try? await connection.one("SELECT 1", as: Int32.self)
            let isRefused = refusals.change { count in
                defer { count = max(0, count - 1) }
                return count > 0
            }
            return answer == 1 && !isRefused
        }
        hooks.afterRelease = { connection in
            let name = try? await connection.one("SHOW application_name", as: String.self)
            return name != "leave"
        }
        let database = try PostgresDatabase(configuration: server.configuration(), hooks: hooks)
        let name = try await database.one("SHOW application_name", as: String.self)
        #expect(name == "hooked")
        #expect(log.value == ["connect", "connected", "connect", "connected", "connect", "connected"])
        #expect(database.statistics.hookRefusals == 2)

        let process = try await database.withConnection { (connection) async throws in
            let backend = connection.backendProcess
            return backend
        }
        try await eventually("it is idle") { database.statistics.idle == 1 }
        let same = try await database.withConnection { $0.backendProcess }
        #expect(same == process)
        await database.shutdown(within: .seconds(10))
        expectConsistency(of: database.statistics)
    }

    @Test("a hook after release that refuses a connection closes it")
    func refusedAfterRelease() async throws {
        var hooks = PostgresPoolHooks()
        hooks.afterRelease = { _ in false }
        let database = try await PostgresDatabase(configuration: FaultServer.plain().configuration(), hooks: hooks)
        for round in 1...3 {
            try await database.execute("SELECT 1")
            try await eventually("connection \(round) is closed") { database.statistics.hookRefusals == Int64(round) }
        }
        await database.shutdown(within: .seconds(10))
        expectConsistency(of: database.statistics)
    }

    @Test("hooks that throw count as failures to connect, and refusing everything is an error")
    func failingHooks() async throws {
        let configuration = try await FaultServer.plain().configuration()
        for isBefore in [true, false] {
            var hooks = PostgresPoolHooks()
            if isBefore {
                hooks.beforeConnect = { throw HookError() }
            } else {
                hooks.afterConnect = { _ in throw HookError() }
            }
            let database = try PostgresDatabase(configuration: configuration, hooks: hooks)
            let error = try await failureToConnect(database, within: .milliseconds(500))
            #expect(error.timeout == .pool)
            let cause = error.underlying as? PersistenceError
            #expect(cause?.underlying is HookError)
            #expect(database.statistics.failedConnects >= 1)
            await database.shutdown(within: .seconds(10))
            #expect(database.statistics.total == 0)
        }
        var hooks = PostgresPoolHooks()
        hooks.beforeAcquire = { _ in false }
        let database = try PostgresDatabase(configuration: configuration, hooks: hooks)
        let error = try await failure { try await database.execute("SELECT 1") }
        #expect(error.code == .connection)
        #expect(error.operation == "acquire")
        await database.shutdown(within: .seconds(10))
    }

    // MARK: Shutdown

    @Test("a graceful shutdown under load lets everybody finish, refuses the rest, and leaves no session")
    func graceful() async throws {
        let server = try await FaultServer.plain()
        try await server.withObserver { (observing) async throws in
            let observer = Observer(database: observing, application: "graceful shutdown")
            try await observer.withTable("n int PRIMARY KEY") { (table) async throws in
                var configuration = server.configuration(application: observer.application)
                configuration.shutdownTimeout = .seconds(30)
                let database = try PostgresDatabase(configuration: configuration)
                let group = ServiceGroup(services: [database], logger: Logger(label: "test"))
                let service = Task { try await group.run() }
                let written = Shared<Set<Int>>([])
                let workers = (0..<8).map { worker in
                    Task { () async throws -> PersistenceError? in
                        for number in 0..<1_000_000 {
                            let key = number * 8 + worker
                            do {
                                try await database.withTransaction { transaction in
                                    try await transaction.execute("INSERT INTO \(table) VALUES (\(key))")
                                    try await transaction.execute("SELECT pg_sleep(0.001)")
                                }
                                written.change { _ = $0.insert(key) }
                            } catch let error as PersistenceError {
                                return error
                            }
                        }
                        return nil
                    }
                }
                try await eventually("work is done", within: .seconds(60)) { written.value.count >= 50 }
                await group.triggerGracefulShutdown()
                try await service.value
                for worker in workers {
                    let error = try await worker.value
                    // Thirty seconds are enough for a transaction of milliseconds: nobody was cut off.
                    #expect(error?.code == .poolClosed)
                }
                let there = try await observing.all("SELECT n FROM \(table)", as: Int.self)
                #expect(Set(there) == written.value)
                #expect(database.statistics.total == 0)
                expectConsistency(of: database.statistics)
                #expect(try await failure { try await database.execute("SELECT 1") }.code == .poolClosed)
                try await eventually("no session is left") { try await observer.sessions() == 0 }
            }
        }
    }

    @Test("a shutdown ends at its deadline: what still runs is ended on the server and fails with a typed error")
    func deadline() async throws {
        let server = try await FaultServer.plain()
        try await server.withObserver { (observing) async throws in
            let observer = Observer(database: observing, application: "impatient shutdown")
            var configuration = server.configuration(application: observer.application)
            configuration.shutdownTimeout = .milliseconds(200)
            let database = try PostgresDatabase(configuration: configuration)
            let service = Task { try await database.run() }
            let statement = Task { try await database.execute("SELECT pg_sleep(600) /* stubborn */") }
            try await eventually("the statement runs") { try await observer.running("stubborn") == 1 }
            let cutOff = await database.shutdown(within: .milliseconds(200))
            #expect(cutOff == 1)
            let error = try await failure { _ = try await statement.value }
            // The server's answer to the cancel request, or the end of the connection: whichever comes first.
            #expect(error.code == .cancelled || error.code == .connection && error.retrySafety == .unknown)
            try await service.value
            try await eventually("no session is left", within: .seconds(30)) { try await observer.sessions() == 0 }
        }
    }

    @Test("cancelling the service closes everything at once")
    func cancelled() async throws {
        let server = try await FaultServer.plain()
        try await server.withObserver { (observing) async throws in
            let observer = Observer(database: observing, application: "cancelled service")
            var configuration = server.configuration(application: observer.application)
            configuration.shutdownTimeout = .seconds(3600)
            let database = try PostgresDatabase(configuration: configuration)
            let service = Task { try await database.run() }
            let statement = Task { try await database.execute("SELECT pg_sleep(600) /* cancelled-service */") }
            try await eventually("the statement runs") { try await observer.running("cancelled-service") == 1 }
            service.cancel()
            try await service.value
            let code = try await failure { _ = try await statement.value }.code
            #expect(code == .connection || code == .cancelled)
            try await eventually("no session is left", within: .seconds(30)) { try await observer.sessions() == 0 }
        }
    }
}
