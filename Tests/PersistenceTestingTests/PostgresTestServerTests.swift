import Foundation
import PersistenceCore
import Testing

@testable import PersistenceTesting

@Suite("A private PostgreSQL server", .timeLimit(.minutes(5)))
struct PostgresTestServerTests {
    @Test("serves TCP with a password and the Unix socket without one, in UTF-8 and UTC")
    func serves() async throws {
        try await PostgresTestServer.with { server in
            #expect(try await connects(server, "SELECT 1") == "1")
            #expect(try await server.query("SELECT current_user, current_database()") == "admin|test")
            #expect(try await server.query("SHOW server_encoding") == "UTF8")
            #expect(try await server.query("SHOW timezone") == "UTC")

            let refused = try await psql(server, "postgres://admin:wrong@127.0.0.1:\(server.port)/test", "SELECT 1")
            #expect(!refused.isSuccess)
            #expect(refused.output.contains("password authentication failed"))

            let ready = try await caller().run(
                server.installation.program("pg_isready"), ["-h", server.host, "-p", "\(server.port)"])
            #expect(ready.isSuccess)
        }
    }

    @Test("takes settings, authentication lines, a user and a database")
    func options() async throws {
        let options = PostgresTestServer.Options(
            settings: ["max_connections": "7", "cluster_name": "it's mine"],
            hostBasedAuthentication: ["host all visitor 127.0.0.1/32 trust"],
            username: "owner",
            database: "shop")
        try await PostgresTestServer.with(options) { server in
            #expect(try await server.query("SHOW max_connections") == "7")
            #expect(try await server.query("SHOW cluster_name") == "it's mine")
            try await server.query("CREATE ROLE visitor LOGIN")
            let result = try await psql(
                server, "postgres://visitor@127.0.0.1:\(server.port)/shop", "SELECT current_user")
            #expect(result.output == "visitor\n")
        }
    }

    @Test(
        "refuses options that would change other lines of its files",
        arguments: [
            PostgresTestServer.Options(settings: ["work_mem": "1MB'\nfsync = 'on"]),
            PostgresTestServer.Options(settings: ["work_mem = 1 #": "x"]),
            PostgresTestServer.Options(settings: ["": "x"]),
            PostgresTestServer.Options(hostBasedAuthentication: ["local all all trust\nhost all all 0.0.0.0/0 trust"]),
            PostgresTestServer.Options(username: "a'; DROP"),
            PostgresTestServer.Options(username: ""),
            PostgresTestServer.Options(database: String(repeating: "x", count: 64)),
        ])
    func refusesOptions(_ options: PostgresTestServer.Options) async throws {
        let error = await #expect(throws: PersistenceError.self) { try await PostgresTestServer(options) }
        #expect(error?.code == .configuration)
    }

    @Test("refuses a folder that has no server in it")
    func refusesInstallation() async throws {
        let error = #expect(throws: PersistenceError.self) { try PostgresInstallation(programs: "/usr/lib") }
        #expect(error?.code == .configuration)
        #expect(error?.summary.contains("initdb") == true)
    }

    @Test("keeps what was committed when it is killed, and its port")
    func kill() async throws {
        try await PostgresTestServer.with { server in
            let port = server.port
            try await server.query("CREATE TABLE kept (value int); INSERT INTO kept VALUES (1), (2)")
            let started = try await server.query("SELECT pg_postmaster_start_time()")

            try await server.kill()
            let down = try await psql(server, server.url, "SELECT 1")
            #expect(!down.isSuccess)
            #expect(down.output.contains("Connection refused"))
            // A second kill finds nothing and says nothing.
            try await server.kill()

            try await server.start()
            #expect(server.port == port)
            #expect(try await server.query("SELECT sum(value) FROM kept") == "3")
            #expect(try await server.query("SELECT pg_postmaster_start_time()") != started)
            #expect(server.log().contains("database system was not properly shut down"))
        }
    }

    @Test("kills the sessions with the server", .enabled(if: FileManager.default.fileExists(atPath: "/proc/self/stat")))
    func killsSessions() async throws {
        try await PostgresTestServer.with { server in
            async let session = psql(server, server.url, "SELECT pg_backend_pid(); SELECT pg_sleep(600)")
            var backend = ""
            while backend.isEmpty {
                backend = try await server.query(
                    "SELECT pid FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)' LIMIT 1")
                if try await server.query("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == "0" {
                    backend = ""
                }
            }
            try await server.kill()
            let ended = try await session
            #expect(!ended.isSuccess)
            let state = (try? String(contentsOfFile: "/proc/\(backend)/stat", encoding: .utf8)) ?? "gone"
            #expect(state == "gone" || state.contains(") Z "))
        }
    }

    @Test(
        "stops and restarts, writing everything down first or not",
        arguments: [PostgresTestServer.StopMode.fast, .immediate])
    func restarts(_ mode: PostgresTestServer.StopMode) async throws {
        try await PostgresTestServer.with { server in
            try await server.query("CREATE TABLE kept AS SELECT 1 AS value")
            try await server.stop(mode: mode)
            try await server.stop(mode: mode)
            await #expect(throws: PersistenceError.self) { try await server.query("SELECT 1") }
            try await server.start()
            try await server.start()
            try await server.restart(mode: mode)
            #expect(try await server.query("SELECT value FROM kept") == "1")
            #expect(server.log().contains("not properly shut down") == (mode == .immediate))
        }
    }

    @Test("shows a certificate that a client can verify, or one that it must refuse")
    func tls() async throws {
        let options = PostgresTestServer.Options(
            hostBasedAuthentication: ["hostssl all all 127.0.0.1/32 scram-sha-256"], isTLSEnabled: true)
        try await PostgresTestServer.with(options) { server in
            let certificates = try #require(server.certificates)
            func connect(to host: String, authority: String) async throws -> ServerProcess.Result {
                let url = "postgres://admin:\(server.password)@\(host):\(server.port)/test"
                return try await psql(
                    server, "\(url)?sslmode=verify-full&sslrootcert=\(authority)",
                    "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
            }

            #expect(try await connect(to: "localhost", authority: certificates.authority).output == "t\n")
            #expect(try await connect(to: "127.0.0.1", authority: certificates.authority).output == "t\n")
            let strange = try await connect(to: "localhost", authority: certificates.strangeAuthority)
            #expect(strange.output.contains("certificate verify failed"))

            try await server.present(.anotherName)
            let another = try await connect(to: "localhost", authority: certificates.authority)
            #expect(another.output.contains("other.example"))
            #expect(!another.isSuccess)
            try await server.present(.localhost)
            #expect(try await connect(to: "localhost", authority: certificates.authority).isSuccess)
        }
    }

    @Test("lets a client in by its certificate alone")
    func clientCertificate() async throws {
        let options = PostgresTestServer.Options(
            hostBasedAuthentication: ["hostssl all all 127.0.0.1/32 cert"], isTLSEnabled: true)
        try await PostgresTestServer.with(options) { server in
            let certificates = try #require(server.certificates)
            let plain =
                "postgres://admin@127.0.0.1:\(server.port)/test?sslmode=verify-ca"
                + "&sslrootcert=\(certificates.authority)"
            let accepted = try await psql(
                server, plain + "&sslcert=\(certificates.client)&sslkey=\(certificates.clientKey)", "SELECT 1")
            #expect(accepted.output == "1\n")
            let refused = try await psql(server, plain, "SELECT 1")
            #expect(!refused.isSuccess)
        }
    }

    @Test("refuses to show a certificate without TLS")
    func presentWithoutTLS() async throws {
        let server = try await PostgresTestServer()
        let error = await #expect(throws: PersistenceError.self) { try await server.present(.anotherName) }
        #expect(error?.code == .invalidArgument)
        await server.remove()
    }

    @Test("says why it does not start, and leaves nothing running")
    func doesNotStart() async throws {
        let server = try await PostgresTestServer(.init(settings: ["shared_buffers": "nonsense"]))
        let error = await #expect(throws: PersistenceError.self) { try await server.start() }
        #expect(error?.code == .server)
        #expect(error?.summary.contains("shared_buffers") == true)
        #expect(!FileManager.default.fileExists(atPath: "\(server.folder)/data/postmaster.pid"))
        await server.remove()
    }

    @Test("rethrows the error of the scope and removes the server")
    func scopeThrows() async throws {
        struct Mine: Error {}
        var folder = ""
        await #expect(throws: Mine.self) {
            try await PostgresTestServer.with { server in
                folder = server.folder
                throw Mine()
            }
        }
        #expect(!folder.isEmpty)
        #expect(!FileManager.default.fileExists(atPath: folder))
    }

    @Test("is removed when its task is cancelled")
    func cancelled() async throws {
        let (folders, continuation) = AsyncStream.makeStream(of: String.self)
        let task = Task {
            try await PostgresTestServer.with { server in
                continuation.yield(server.folder)
                try await server.query("SELECT pg_sleep(600)")
            }
        }
        let folder = try #require(await folders.first { _ in true })
        task.cancel()
        let result = await task.result
        #expect((result.failure as? PersistenceError)?.code == .cancelled)
        #expect(!FileManager.default.fileExists(atPath: folder))
    }

    @Test("refuses everything after it was removed")
    func removed() async throws {
        let server = try await PostgresTestServer()
        try await server.start()
        await server.remove()
        await server.remove()
        let calls: [@Sendable () async throws -> Void] = [
            { try await server.start() }, { try await server.stop() }, { try await server.kill() },
        ]
        for call in calls {
            let error = await #expect(throws: PersistenceError.self) { try await call() }
            #expect(error?.code == .invalidArgument)
        }
        await #expect(throws: PersistenceError.self) { try await server.query("SELECT 1") }
        #expect(server.log() == "")
        #expect(server.log(lines: -1) == "")
    }

    @Test("refuses a call while another one starts or stops it, and is whole afterwards")
    func concurrentCalls() async throws {
        let server = try await PostgresTestServer()
        let outcomes = await withTaskGroup(of: PersistenceError.Code?.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    do throws(PersistenceError) {
                        try await server.start()
                        return nil
                    } catch {
                        return error.code
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.contains(nil))
        #expect(outcomes.allSatisfy { $0 == nil || $0 == .invalidArgument })
        #expect(try await server.query("SELECT 1") == "1")
        await server.remove()
    }

    @Test("reports a wrong statement with what psql said")
    func wrongStatement() async throws {
        try await PostgresTestServer.with { server in
            let error = await #expect(throws: PersistenceError.self) { try await server.query("SELEC 1") }
            #expect(error?.code == .server)
            #expect(error?.summary.contains("syntax error") == true)
            let nothing = try await server.query("")
            #expect(nothing.isEmpty)
        }
    }

    @Test("goes with its folder when nobody holds it any more")
    func forgotten() async throws {
        var server: PostgresTestServer? = try await PostgresTestServer()
        try await server?.start()
        let folder = try #require(server?.folder)
        let pid = try String(contentsOfFile: "\(folder)/data/postmaster.pid", encoding: .utf8).prefix { $0 != "\n" }
        server = nil
        // The guard is another process; the suite's time limit is what bounds this wait. The folder is not an argument,
        // because the guard waits for programs that were given it.
        try await caller().require(
            "/bin/sh", ["-c", "while [ -e \"$FOLDER\" ]; do sleep 0.02; done"], environment: ["FOLDER": folder])
        let state = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? "gone"
        #expect(state == "gone" || state.contains(") Z "))
    }

    @Test("begins with a copy that no other server shares")
    func copies() async throws {
        async let first = PostgresTestServer.with { server in
            try await server.query("CREATE TABLE mine (n int); INSERT INTO mine VALUES (1)")
            return try await server.query("SELECT count(*) FROM mine")
        }
        async let second = PostgresTestServer.with { try await $0.query("SELECT to_regclass('mine') IS NULL") }
        #expect(try await first == "1")
        #expect(try await second == "t")
    }

    // MARK: Helpers

    private func caller() throws -> ServerProcess { ServerProcess(user: try .current()) }

    private func psql(_ server: PostgresTestServer, _ url: String, _ sql: String) async throws -> ServerProcess.Result {
        try await caller().run(
            server.installation.program("psql"), ["-X", "-A", "-t", "-q", "-c", sql, url], asCaller: true)
    }

    private func connects(_ server: PostgresTestServer, _ sql: String) async throws -> String {
        let result = try await psql(server, server.url, sql)
        #expect(result.isSuccess, "\(result.output)")
        return String(result.output.dropLast())
    }
}

extension Result {
    fileprivate var failure: Failure? {
        if case .failure(let error) = self { error } else { nil }
    }
}
