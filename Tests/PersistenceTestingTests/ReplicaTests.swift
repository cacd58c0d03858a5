import PersistenceCore
import PersistenceTesting
import Testing

@Suite("A replica of a private server", .timeLimit(.minutes(5)))
struct ReplicaTests {
    @Test("follows synchronously, and takes over")
    func takesOver() async throws {
        try await PostgresTestServer.with { primary in
            try await primary.query("CREATE TABLE kept (n int); INSERT INTO kept VALUES (1)")
            let replica = try await primary.makeReplica(named: "second", settings: ["cluster_name": "mine"])
            try await replica.start()
            try await primary.replicateSynchronously(to: ["second"])
            try await primary.query("INSERT INTO kept VALUES (2)")
            #expect(try await replica.query("SELECT pg_is_in_recovery()") == "t")
            #expect(try await replica.query("SHOW cluster_name") == "mine")
            #expect(replica.port != primary.port)
            let refused = await #expect(throws: PersistenceError.self) {
                try await replica.query("INSERT INTO kept VALUES (3)")
            }
            #expect(refused?.summary.contains("read-only") == true)

            try await primary.kill()
            try await replica.promote()
            #expect(try await replica.query("INSERT INTO kept VALUES (4) RETURNING n") == "4")
            #expect(try await replica.query("SELECT count(*) FROM kept WHERE n < 3") == "2")
            // A second promotion finds nothing to do, and says so.
            await #expect(throws: PersistenceError.self) { try await replica.promote() }
            await replica.remove()
        }
    }

    @Test("is refused a name or a setting that would change other lines, a TLS server, and one that does not run")
    func refuses() async throws {
        let primary = try await PostgresTestServer()
        for name in ["", "a b", "x'y", String(repeating: "x", count: 64)] {
            let error = await #expect(throws: PersistenceError.self) { try await primary.makeReplica(named: name) }
            #expect(error?.code == .configuration)
            let names = await #expect(throws: PersistenceError.self) {
                try await primary.replicateSynchronously(to: [name])
            }
            #expect(names?.code == .configuration)
        }
        let setting = await #expect(throws: PersistenceError.self) {
            try await primary.makeReplica(settings: ["work_mem": "1MB\nfsync = on"])
        }
        #expect(setting?.code == .configuration)
        let down = await #expect(throws: PersistenceError.self) { try await primary.makeReplica() }
        #expect(down?.code == .server)
        await primary.remove()
    }
}
