import Logging
import PersistenceCore
import Synchronization

/// Time that a test moves.
final class TestTime: Sendable {
    private let instant = Mutex(ContinuousClock.now)

    var now: ContinuousClock.Instant { instant.withLock { $0 } }

    func advance(by duration: Duration) {
        instant.withLock { $0 = $0.advanced(by: duration) }
    }
}

/// An observer that keeps what it gets.
final class EventLog: InstrumentationObserver {
    private let events = Mutex<(starts: [OperationStart], ends: [OperationEnd])>(([], []))

    var starts: [OperationStart] { events.withLock { $0.starts } }
    var ends: [OperationEnd] { events.withLock { $0.ends } }

    func operationDidStart(_ event: OperationStart) {
        events.withLock { $0.starts.append(event) }
    }

    func operationDidEnd(_ event: OperationEnd) {
        events.withLock { $0.ends.append(event) }
    }
}

/// A log that keeps its lines.
final class LineLog: Sendable {
    struct Line: Sendable {
        let level: Logger.Level
        let message: String
        let metadata: Logger.Metadata
    }

    private let kept = Mutex<[Line]>([])

    var lines: [Line] { kept.withLock { $0 } }

    var logger: Logger {
        Logger(label: "test") { _ in Handler(log: self) }
    }

    private struct Handler: LogHandler {
        let log: LineLog
        var metadata: Logger.Metadata = [:]
        var logLevel: Logger.Level = .trace

        init(log: LineLog) {
            self.log = log
        }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            log.kept.withLock {
                $0.append(
                    Line(level: event.level, message: "\(event.message)", metadata: event.metadata ?? [:])
                )
            }
        }
    }
}
