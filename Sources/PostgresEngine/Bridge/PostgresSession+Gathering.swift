extension PostgresSession {
    /// Sees to it that what a shared connection has just been given goes to the server.
    ///
    /// Tasks on the reactor's thread run one after the other: what they send is gathered, and goes out together when the
    /// last of them has run, or when there is enough of it to keep the server busy. Nobody knows when the next task on
    /// another thread will send, so from there all goes at once.
    func pushSoon(_ state: inout SessionState) {
        guard canGather else { return }
        if !reactor.isCurrentThread {
            guard state.isGathering else { return }
            state.isGathering = false
            state.gathered = 0
            SocketCork.release(descriptor)
        } else if !state.isGathering {
            // Too late for what has been sent; from the next on.
            state.isGathering = true
            SocketCork.hold(descriptor)
        } else {
            state.gathered += 1
            if state.gathered == Self.enough {
                state.gathered = 0
                SocketCork.push(descriptor)
            } else if !state.isPushPending {
                state.isPushPending = true
                reactor.pushAfterJobs(self)
            }
        }
    }

    /// How many queries are held back at most.
    private static var enough: Int { 8 }

    /// Sends what was gathered; on the reactor's thread.
    func push() {
        withState { state in
            state.isPushPending = false
            guard state.connection != nil, state.isGathering, state.gathered > 0 else { return }
            state.gathered = 0
            SocketCork.push(descriptor)
        }
    }
}
