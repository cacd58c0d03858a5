import PersistenceCore
import Testing

@testable import PersistenceTesting

@Suite("A private PgBouncer", .timeLimit(.minutes(5)))
struct PgBouncerTestServerTests {
    @Test("serves in transaction mode, is killed and started again")
    func serves() async throws {
        try await PostgresTestServer.with { server in
            try await PgBouncerTestServer.with(in: server) { bouncer in
                #expect(try await psql(server, bouncer.url, "SELECT 1") == "1\n")
                #expect(try await bouncer.command("SHOW DATABASES").contains("test|127.0.0.1|\(server.port)|test"))
                try await bouncer.kill()
                try await bouncer.kill()
                #expect(try await psql(server, bouncer.url, "SELECT 1") == nil)
                try await bouncer.start()
                #expect(try await psql(server, bouncer.url, "SELECT 2") == "2\n")
                let wrong = await #expect(throws: PersistenceError.self) { try await bouncer.command("SHOW NOTHING") }
                #expect(wrong?.code == .server)
            }
        }
    }

    @Test("refuses options that would change other lines of its file")
    func refuses() async throws {
        let server = try await PostgresTestServer()
        for change in [
            { $0.poolSize = 0 }, { $0.settings = ["": "x"] }, { $0.settings = ["verbose": "1\nauth_type = any"] },
            { $0.settings = ["x = 1 ;": "x"] },
        ] as [(inout PgBouncerTestServer.Options) -> Void] {
            var options = PgBouncerTestServer.Options()
            change(&options)
            let chosen = options
            let error = await #expect(throws: PersistenceError.self) {
                try await PgBouncerTestServer(in: server, chosen)
            }
            #expect(error?.code == .configuration)
        }
        await server.remove()
    }

    /// What a client prints; `nil` when it cannot connect.
    private func psql(_ server: PostgresTestServer, _ url: String, _ sql: String) async throws -> String? {
        let result = try await ServerProcess(user: .current()).run(
            server.installation.program("psql"), ["-X", "-A", "-t", "-q", "-c", sql, url], asCaller: true)
        return result.isSuccess ? result.output : nil
    }
}
