internal import Dispatch
internal import NIOCore
@_spi(ReactorSockets) internal import PostgresEngine
internal import Synchronization

/// NIO's event loop, on the thread of the engine's reactor.
///
/// Clients and the engine are served by one thread, which under load hardly ever sleeps: waking threads is what a gateway
/// would spend most of its time on otherwise.
final class ReactorEventLoop: EventLoop {
    private let thread: PostgresReactorThread

    init(_ thread: PostgresReactorThread) {
        self.thread = thread
    }

    var inEventLoop: Bool { thread.isCurrent }

    func execute(_ task: @escaping @Sendable () -> Void) {
        thread.performLater(task)
    }

    func scheduleTask<T>(in delay: TimeAmount, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
        scheduleTask(deadline: .now() + delay, task)
    }

    /// Timers are for what goes wrong, such as a message that is never completed; so they need not be cheap.
    func scheduleTask<T>(deadline: NIODeadline, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
        let promise = makePromise(of: T.self)
        let run: @Sendable () -> Void = {
            do {
                promise.assumeIsolated().succeed(try task())
            } catch {
                promise.fail(error)
            }
        }
        let timer = Timer()
        let sleeper = Task.detached { [self] in
            try await Task.sleep(for: .nanoseconds((deadline - .now()).nanoseconds))
            execute { if !timer.isCancelled { run() } }
        }
        return Scheduled(promise: promise) {
            timer.cancel()
            sleeper.cancel()
        }
    }

    /// The reactor goes on for the engine's connections.
    func shutdownGracefully(queue: DispatchQueue, _ callback: @escaping @Sendable ((any Error)?) -> Void) {
        queue.async { callback(EventLoopError.unsupportedOperation) }
    }

    /// Starts to watch a socket for reading; `nil` when the kernel refuses.
    func watch(_ descriptor: Int32, for handler: any PostgresReactorSocketHandler) -> PostgresReactorSocket? {
        preconditionInEventLoop()
        return thread.watch(descriptor, for: handler)
    }

    /// A timer that fires while it is being cancelled does nothing.
    private final class Timer: Sendable {
        private let flag = Atomic(false)

        var isCancelled: Bool { flag.load(ordering: .relaxed) }

        func cancel() { flag.store(true, ordering: .relaxed) }
    }
}
