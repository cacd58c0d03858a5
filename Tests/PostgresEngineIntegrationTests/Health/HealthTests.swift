import PersistenceCore
import PostgresEngine
import Testing

@Suite("The health of a database", .engineServer)
struct HealthTests {
    @Test("A monitor finds a database that answers healthy, under its address and name")
    func healthy() async throws {
        try await EngineTestServer.with { database in
            let report = try await HealthMonitor(critical: [database]).checkNow()
            #expect(report.readiness == .ready)
            let health = try #require(report.databases.first)
            #expect(health.status == .healthy)
            #expect(health.latency != nil)
            #expect(try health.name.hasSuffix("/" + EngineTestServer.configuration().database))
        }
    }

    @Test("A monitor finds a database that cannot be reached unhealthy, and says why without the password")
    func unreachable() async throws {
        let database = try PostgresDatabase(
            configuration: PostgresConfiguration(uri: "postgres://nobody:hunter2@127.0.0.1:1/nowhere"))
        let report = try await HealthMonitor(
            critical: [database], configuration: HealthMonitor.Configuration(timeout: .milliseconds(300))
        ).checkNow()
        #expect(report.readiness == .notReady)
        let health = try #require(report.databases.first)
        #expect(health.status == .unhealthy)
        #expect(health.name == "127.0.0.1:1/nowhere")
        let error = try #require(health.lastError)
        #expect(!String(reflecting: error).contains("hunter2"))
        await database.shutdown(within: .zero)
    }
}
