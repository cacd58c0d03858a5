internal import CMongoC

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// What has become of the commands that one operation has sent.
///
/// The driver repeats what was cut off and tells its caller of the last attempt alone; what it reports while it is at
/// work tells of all. It reports on the thread that runs the operation, so the tally is found by the thread.
struct CommandTally {
    /// How many commands have failed, answered with an error or not at all.
    private(set) var failures = 0
    /// The member that answered last, when somebody wants to know.
    private(set) var server: MongoHost?

    /// Calls `body`, and counts what the driver reports meanwhile.
    mutating func gather<Result>(_ body: () -> Result) -> Result {
        withUnsafeMutablePointer(to: &self) { pointer in
            pthread_setspecific(Self.key, pointer)
            defer { pthread_setspecific(Self.key, nil) }
            return body()
        }
    }

    /// Has the driver report to whichever operation runs on the thread.
    ///
    /// - Parameters:
    ///   - callbacks: The callbacks of a pool.
    ///   - isRecorded: Whether somebody wants to know which member answers. Nothing else costs the commands that succeed
    ///     anything, and the driver's report of a command that begins is never asked for: it would copy every document.
    static func install(on callbacks: OpaquePointer?, isRecorded: Bool) {
        mongoc_apm_set_command_failed_cb(callbacks) { event in
            guard event != nil, let tally = CommandTally.current else { return }
            tally.pointee.failures += 1
        }
        guard isRecorded else { return }
        mongoc_apm_set_command_succeeded_cb(callbacks) { event in
            guard let event, let tally = CommandTally.current,
                let host = mongoc_apm_command_succeeded_get_host(event)
            else { return }
            tally.pointee.server = MongoHost(host)
        }
    }

    private static var current: UnsafeMutablePointer<CommandTally>? {
        pthread_getspecific(key)?.assumingMemoryBound(to: CommandTally.self)
    }

    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        // It fails when a process has used up more than a thousand keys; nothing is then counted.
        pthread_key_create(&key, nil)
        return key
    }()
}

extension MongoHost {
    /// A host as the driver has it.
    init(_ entry: UnsafePointer<mongoc_host_list_t>) {
        self.init(String(cArray: entry.address(of: \.host)), port: Int(entry.pointee.port))
    }
}
