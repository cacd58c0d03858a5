internal import PersistenceCore
internal import Synchronization

/// The reactors of one database, handed to its connections in turn.
final class ReactorGroup: Sendable {
    private let reactors: [PostgresReactor]
    private let counter = Atomic<Int>(0)
    /// Whether the group has started the reactors itself and so ends them.
    private let isOwner: Bool

    init(count: Int) throws(PersistenceError) {
        var reactors: [PostgresReactor] = []
        for _ in 0..<max(count, 1) { reactors.append(try PostgresReactor()) }
        self.reactors = reactors
        self.isOwner = true
    }

    init(sharing reactor: PostgresReactor) {
        self.reactors = [reactor]
        self.isOwner = false
    }

    deinit {
        guard isOwner else { return }
        for reactor in reactors { reactor.shutdown() }
    }

    var first: PostgresReactor { reactors[0] }

    func next() -> PostgresReactor {
        guard reactors.count > 1 else { return reactors[0] }
        let index = counter.wrappingAdd(1, ordering: .relaxed).oldValue
        return reactors[Int(UInt(bitPattern: index) % UInt(reactors.count))]
    }
}
