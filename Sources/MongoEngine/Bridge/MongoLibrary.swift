internal import CMongoC
internal import Logging
internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// The C library as a whole: its start, which happens once in a process, and its log, of which there is one.
enum MongoLibrary {
    private struct State: ~Copyable {
        var logger: Logger?
        /// Who gathers warnings instead of having them logged, and on which thread.
        var capture: (thread: pthread_t, messages: [String])?
    }

    private static let state = Mutex(State())
    /// Held while warnings are gathered, so that two threads don't gather at the same time.
    private static let captureLock = Mutex(())

    private static let started: Void = {
        mongoc_log_set_handler({ level, _, message, _ in MongoLibrary.log(level, message) }, nil)
        mongoc_init()
        // mongoc_cleanup at exit would free what threads that still run are using; the process ends anyway.
    }()

    /// Starts the library if nobody has done so.
    ///
    /// Everything that calls into it comes through here first.
    static func start() {
        _ = started
    }

    /// Sends the library's log to a logger.
    ///
    /// The library knows one log for the whole process: the last call decides.
    static func setLogger(_ logger: Logger) {
        state.withLock { $0.logger = logger }
    }

    /// Calls `body`, and gives the warnings that it made the library log on this thread.
    ///
    /// The parser of connection strings reports what it ignores to the log alone.
    static func capturingWarnings<Result>(_ body: () -> Result) -> (result: Result, warnings: [String]) {
        start()
        return captureLock.withLock { _ in
            state.withLock { $0.capture = (pthread_self(), []) }
            let result = body()
            let warnings = state.withLock { state in
                defer { state.capture = nil }
                return state.capture?.messages ?? []
            }
            return (result, warnings)
        }
    }

    private static func log(_ level: mongoc_log_level_t, _ message: UnsafePointer<CChar>?) {
        guard let message else { return }
        let logger = state.withLock { state -> Logger? in
            if let thread = state.capture?.thread, pthread_equal(thread, pthread_self()) != 0 {
                state.capture?.messages.append(String(cString: message))
                return nil
            }
            return state.logger
        }
        guard let logger else { return }
        let severity: Logger.Level =
            switch level {
            case MONGOC_LOG_LEVEL_ERROR, MONGOC_LOG_LEVEL_CRITICAL: .error
            case MONGOC_LOG_LEVEL_WARNING: .warning
            case MONGOC_LOG_LEVEL_MESSAGE, MONGOC_LOG_LEVEL_INFO: .info
            case MONGOC_LOG_LEVEL_DEBUG: .debug
            default: .trace
            }
        logger.log(level: severity, "\(String(cString: message))", metadata: ["source": "libmongoc"])
    }
}
