import Logging
import PersistenceCore
import PostgresEngine
import Synchronization
import Testing

/// Keeps what is logged.
private final class LogBook: Sendable {
    struct Line: Sendable {
        var level: Logger.Level
        var message: String
        var metadata: Logger.Metadata
    }

    private let book = Mutex<[Line]>([])

    var lines: [Line] { book.withLock { $0 } }

    func logger(level: Logger.Level) -> Logger {
        var logger = Logger(label: "test") { _ in Handler(book: self) }
        logger.logLevel = level
        return logger
    }

    private struct Handler: LogHandler {
        let book: LogBook
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let entry = Line(
                level: event.level, message: "\(event.message)", metadata: event.metadata ?? [:])
            book.book.withLock { $0.append(entry) }
        }
    }
}

@Suite("Notices of the server", .engineServer)
struct NoticeTests {
    private static let script = """
        DO $$ BEGIN
            RAISE WARNING USING MESSAGE = 'be careful with secret-value', ERRCODE = '01234';
            RAISE NOTICE 'by the way secret-value';
            RAISE LOG 'only for the server';
        END $$
        """

    @Test("reach the logger with level and code; their text, which can quote values, only at trace")
    func levels() async throws {
        for level in [Logger.Level.debug, .trace] {
            let book = LogBook()
            let instrumentation = Instrumentation(logger: book.logger(level: level))
            try await EngineTestServer.with(instrumentation: instrumentation) { (database) async throws in
                try await database.withConnection { try await $0.executeScript(Self.script) }
            }
            let notices = book.lines.filter { $0.message.hasPrefix("PostgreSQL") && $0.level != .trace }
            #expect(notices.map(\.level) == [.warning, .debug])
            #expect(notices.map(\.message) == ["PostgreSQL warning", "PostgreSQL notice"])
            #expect(notices.first?.metadata["db.response.status_code"] == "01234")
            let hasText = book.lines.contains { $0.message.contains("secret-value") }
            #expect(hasText == (level == .trace))
        }
    }

    @Test("do no harm where nobody listens, however many there are")
    func flood() async throws {
        try await EngineTestServer.with { (database) async throws in
            try await database.withConnection { (connection) async throws in
                try await connection.executeScript(
                    "DO $$ BEGIN FOR i IN 1..10000 LOOP RAISE NOTICE 'number %', i; END LOOP; END $$")
                #expect(try await connection.one("SELECT 7", as: Int32.self) == 7)
            }
        }
    }
}
