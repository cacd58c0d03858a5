public import PersistenceCore
internal import Synchronization

/// How a subscription to notifications behaves.
public struct PostgresNotificationOptions: Sendable {
    /// How many events wait for a slow consumer; those beyond become a gap.
    public var capacity = 1_000

    /// How often an idle connection is asked for a sign of life.
    public var keepAliveInterval = Duration.seconds(30)

    /// How long the answer may take before the connection counts as lost.
    public var keepAliveTimeout = Duration.seconds(10)

    /// The longest wait before the first attempt to replace a lost connection; it doubles with every attempt.
    public var reconnectDelay = Duration.milliseconds(100)

    /// The longest wait before any attempt to replace a lost connection.
    public var maximumReconnectDelay = Duration.seconds(15)

    /// Creates the default options.
    public init() {}

    fileprivate func check() throws(PersistenceError) {
        guard capacity > 0, keepAliveInterval > .zero, keepAliveTimeout > .zero, reconnectDelay >= .zero,
            maximumReconnectDelay >= .zero
        else {
            throw PersistenceError(.invalidArgument, "capacities and times of a subscription are positive")
        }
    }
}

/// Notifications of channels, as they come; made by ``PostgresDatabase/notifications(on:options:)``.
///
/// One consumer takes them. The subscription lasts as long as the value, or as one of its iterators; then its
/// connection is closed.
public struct PostgresNotifications: AsyncSequence, Sendable {
    /// What comes.
    public typealias Element = PostgresNotificationEvent
    /// What the iteration throws.
    public typealias Failure = PersistenceError

    private let subscription: NotificationSubscription

    init(_ subscription: NotificationSubscription) {
        self.subscription = subscription
    }

    /// Goes on where the last iteration has stopped.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(subscription: subscription)
    }

    /// The consumer's end.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let subscription: NotificationSubscription

        /// The next event; `nil` when the task is cancelled or the database is shut down.
        ///
        /// - Parameter actor: The caller's isolation.
        /// - Returns: The event.
        /// - Throws: ``PersistenceError`` when the connection was lost and the server refuses another for a reason that
        ///   time does not mend: `authentication`, `tls`, `permission` or `configuration`; `invalidArgument` when
        ///   two tasks ask at the same time.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(PersistenceError) -> PostgresNotificationEvent? {
            try await subscription.buffer.next()
        }

        /// The next event; see ``next(isolation:)``.
        ///
        /// - Returns: The event.
        /// - Throws: ``PersistenceError``.
        public mutating func next() async throws(PersistenceError) -> PostgresNotificationEvent? {
            try await subscription.buffer.next()
        }
    }
}

/// Ends a subscription when nobody wants it any more.
final class NotificationSubscription: Sendable {
    let buffer: NotificationBuffer
    private let task: Task<Void, Never>

    init(buffer: NotificationBuffer, task: Task<Void, Never>) {
        self.buffer = buffer
        self.task = task
    }

    deinit {
        task.cancel()
    }
}

/// The subscriptions of a database, so that its shutdown ends them.
final class NotificationSubscriptions: Sendable {
    private struct State {
        var tasks: [UInt64: Task<Void, Never>] = [:]
        var next: UInt64 = 0
        var isClosed = false
    }

    private let state = Mutex(State())

    /// Runs a listener until it ends or the database is shut down.
    ///
    /// - Throws: `poolClosed` when the database has been shut down already.
    func start(
        _ listener: NotificationListener, _ session: ListeningSession
    ) throws(PersistenceError) -> NotificationSubscription {
        let task: Task<Void, Never>? = state.withLock { state in
            guard !state.isClosed else { return nil }
            state.next += 1
            let id = state.next
            // Made under the lock, so that it cannot end before it is known.
            let task = Task.detached { [self] in
                await listener.run(session)
                remove(id)
            }
            state.tasks[id] = task
            return task
        }
        guard let task else { throw PersistenceError(.poolClosed, "the database has been shut down") }
        return NotificationSubscription(buffer: listener.buffer, task: task)
    }

    private func remove(_ id: UInt64) {
        state.withLock { _ = $0.tasks.removeValue(forKey: id) }
    }

    /// Ends all of them, and those that come.
    func close() {
        let tasks = state.withLock { state in
            state.isClosed = true
            defer { state.tasks = [:] }
            return Array(state.tasks.values)
        }
        for task in tasks { task.cancel() }
    }
}

extension PostgresDatabase {
    /// Listens on channels, on a connection of its own.
    ///
    /// ```swift
    /// for try await event in try await database.notifications(on: ["jobs"]) {
    ///     switch event {
    ///     case .notification(let notification): try await run(job: notification.payload)
    ///     case .gap: try await runAllWaitingJobs()
    ///     default: break
    ///     }
    /// }
    /// ```
    ///
    /// When it returns, the server listens: what is committed afterwards arrives, or a gap is reported. A lost
    /// connection is replaced for as long as it takes.
    ///
    /// - Parameters:
    ///   - channels: The channels' names, as `pg_notify` has them: LISTEN folds no case here.
    ///   - options: Buffer and times.
    /// - Returns: The events, for one consumer. The sequence ends when its task is cancelled or the database is shut
    ///   down.
    /// - Throws: ``PersistenceError``: `invalidArgument` for no channel or a name that is none, and any error of
    ///   connecting.
    public func notifications(
        on channels: [String], options: PostgresNotificationOptions = PostgresNotificationOptions()
    ) async throws(PersistenceError) -> PostgresNotifications {
        try options.check()
        guard !channels.isEmpty else { throw PersistenceError(.invalidArgument, "a subscription needs a channel") }
        var names: [PostgresIdentifier] = []
        for channel in channels { names.append(try PostgresIdentifier(channel)) }
        let listener = NotificationListener(
            channels: names, options: options, connector: connector, context: context)
        let session = try await listener.connect(deadline: Deadline.current)
        return PostgresNotifications(try subscriptions.start(listener, session))
    }
}
