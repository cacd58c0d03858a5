internal import Synchronization

/// What is known of a client's connection.
final class ClientSession: Sendable {
    /// What changes while the connection lives.
    struct State: Sendable {
        var user: AuthenticatedUser?
        var conversation: ScramConversation?
        var application: String?
    }

    let id: Int32
    /// The client's address, as it is shown to it.
    let remoteAddress: String
    private let state = Mutex(State())

    init(id: Int32, remoteAddress: String) {
        self.id = id
        self.remoteAddress = remoteAddress
    }

    func withState<Result: Sendable>(_ body: (inout State) -> sending Result) -> Result {
        state.withLock { body(&$0) }
    }

    var user: AuthenticatedUser? { state.withLock { $0.user } }
    var application: String? { state.withLock { $0.application } }
}
