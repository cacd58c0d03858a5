/// The use of a reactor by a database and what it has made; ends the reactor with the last user when it is their own.
final class ReactorUse: Sendable {
    let reactor: PostgresReactor
    private let isOwner: Bool

    /// - Parameter isOwner: Whether nobody else uses the reactor.
    init(of reactor: PostgresReactor, isOwner: Bool) {
        self.reactor = reactor
        self.isOwner = isOwner
    }

    deinit {
        if isOwner { reactor.shutdown() }
    }
}
