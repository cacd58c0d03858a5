import PersistenceCore
import PostgresEngine
import Synchronization
import Testing

private final class Recorder: InstrumentationObserver {
    private let kinds = Mutex<[DatabaseOperation.Kind]>([])

    var recorded: [DatabaseOperation.Kind] { kinds.withLock { $0 } }

    func operationDidEnd(_ event: OperationEnd) {
        kinds.withLock { $0.append(event.operation.kind) }
    }
}

@Suite("Observers", .engineServer)
struct ObserverTests {
    @Test("an observer sees a connection being lent, used and given back")
    func lending() async throws {
        let recorder = Recorder()
        try await EngineTestServer.with(instrumentation: Instrumentation(observers: [recorder])) {
            (database) async throws in
            _ = try await database.run(AddNumbers(left: 1, right: 2))
            let before = recorder.recorded.count
            _ = try await database.run(AddNumbers(left: 1, right: 2))
            // The connection goes back as soon as the result is complete, before it is decoded.
            #expect(recorder.recorded.dropFirst(before) == [.acquire, .release, .query])
            await #expect(throws: CancellationError.self) {
                try await database.withTransaction { transaction in
                    _ = try await transaction.run(AddNumbers(left: 1, right: 2))
                    throw CancellationError()
                }
            }
            #expect(recorder.recorded.filter { $0 == .transaction }.count == 1)
            #expect(recorder.recorded.filter { $0 == .acquire }.count == 3)
            #expect(recorder.recorded.filter { $0 == .release }.count == 3)
        }
    }
}
