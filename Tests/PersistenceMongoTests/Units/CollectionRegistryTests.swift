import Persistence
import PersistenceCore
import PersistenceTesting
import Synchronization
import Testing

@testable import PersistenceMongo

@Suite("The registry of collections", .timeLimit(.minutes(5)))
struct CollectionRegistryTests {
    @Test("Whoever comes first sets up; the others wait for that")
    func once() async throws {
        let registry = CollectionRegistry(capacity: 10, lifetime: .seconds(60))
        let gate = Gate()
        let calls = Calls()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    try await registry.ensure("a") { () async throws(PersistenceError) in
                        calls.append("a")
                        await gate.wait()
                    }
                }
            }
            await gate.untilWaiting()
            gate.open()
            try await group.waitForAll()
        }
        try await registry.ensure("a") { () async throws(PersistenceError) in calls.append("a") }
        #expect(calls.count(of: "a") == 1)
        #expect(registry.count == 1)
    }

    @Test("A set-up that fails fails for those who wait, and is tried again by the next")
    func failures() async throws {
        let registry = CollectionRegistry(capacity: 10, lifetime: .seconds(60))
        for _ in 0..<2 {
            await #expect(throws: PersistenceError.self) { () async throws in
                try await registry.ensure("a") { () async throws(PersistenceError) in
                    throw PersistenceError(.connection)
                }
            }
        }
        #expect(registry.count == 0)
        try await registry.ensure("a") { () async throws(PersistenceError) in }
        #expect(registry.count == 1)
    }

    @Test("A cancelled wait ends at once; the set-up goes on for the others")
    func cancellation() async throws {
        let registry = CollectionRegistry(capacity: 10, lifetime: .seconds(60))
        let gate = Gate()
        let first = Task {
            try await registry.ensure("a") { () async throws(PersistenceError) in await gate.wait() }
        }
        await gate.untilWaiting()
        let second = Task {
            try await registry.ensure("a") { () async throws(PersistenceError) in
                Issue.record("the set-up runs twice")
            }
        }
        first.cancel()
        let result = await first.result
        #expect(throws: PersistenceError.self) { try result.get() }
        gate.open()
        try await second.value
        #expect(registry.count == 1)
        let third = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await registry.ensure("b") { () async throws(PersistenceError) in }
        }
        let outcome = await third.result
        #expect(throws: PersistenceError.self) { try outcome.get() }
    }

    @Test("A wait ends at the deadline of who waits; the set-up goes on for the others")
    func deadline() async throws {
        let registry = CollectionRegistry(capacity: 10, lifetime: .seconds(60))
        let gate = Gate()
        let calls = Calls()
        func ensure() async throws {
            try await registry.ensure("a") { () async throws(PersistenceError) in
                calls.append("a")
                await gate.wait()
            }
        }
        let patient = Task { try await ensure() }
        await gate.untilWaiting()
        for time in [Duration.milliseconds(50), .seconds(-1)] {
            let error = await #expect(throws: PersistenceError.self) { () async throws in
                try await withDeadline(time) { () async throws in try await ensure() }
            }
            #expect(error?.code == .timeout)
            #expect(error?.timeout == .statement)
            #expect(error?.retrySafety == .safe)
        }
        gate.open()
        try await patient.value
        #expect(calls.count(of: "a") == 1)
        // What is ready needs no time.
        try await withDeadline(.seconds(-1)) { () async throws in try await ensure() }
    }

    @Test("It holds a bounded number of names, those used last, and each for a while")
    func bounds() async throws {
        let clock = ManualClock()
        let registry = CollectionRegistry(capacity: 8, lifetime: .seconds(60), clock: clock)
        let calls = Calls()
        func ensure(_ name: String) async throws {
            try await registry.ensure(name) { () async throws(PersistenceError) in
                calls.append(name)
            }
        }
        for index in 0..<100 {
            try await ensure("keep")
            try await ensure("\(index)")
            #expect(registry.count <= 8)
        }
        #expect(calls.count(of: "keep") == 1)
        try await ensure("0")
        #expect(calls.count(of: "0") == 2)
        clock.advance(by: .seconds(60))
        try await ensure("keep")
        #expect(calls.count(of: "keep") == 2)
    }

    @Test("What is dropped is forgotten, also while it is being set up")
    func forgetting() async throws {
        let registry = CollectionRegistry(capacity: 8, lifetime: .seconds(60))
        try await registry.ensure("a") { () async throws(PersistenceError) in }
        registry.forget("a")
        #expect(registry.count == 0)
        let gate = Gate()
        let task = Task {
            try await registry.ensure("a") { () async throws(PersistenceError) in await gate.wait() }
        }
        await gate.untilWaiting()
        registry.forget("a")
        gate.open()
        try await task.value
        #expect(registry.count == 0)
    }
}

/// Which collections have been set up.
private final class Calls: Sendable {
    private let names = Mutex<[String]>([])

    func append(_ name: String) {
        names.withLock { $0.append(name) }
    }

    func count(of name: String) -> Int {
        names.withLock { names in names.count { $0 == name } }
    }
}

/// Lets a set-up go on when a test says so.
private final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var isWaiting = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                state.isWaiting = true
                if !state.isOpen { state.waiters.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    func untilWaiting() async {
        while !state.withLock(\.isWaiting) { await Task.yield() }
    }

    func open() {
        let waiters = state.withLock { state in
            state.isOpen = true
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}
