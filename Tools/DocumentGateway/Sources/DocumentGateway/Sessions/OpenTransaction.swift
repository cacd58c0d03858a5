/// A transaction that is open: the way to the task that holds its connection.
struct OpenTransaction: Sendable {
    /// What has become of work; `nil` when the transaction had ended before it was its turn.
    typealias Outcome = Result<WireReply, CommandError>?
    typealias Answer = CheckedContinuation<Outcome, Never>

    /// What the client asks of the transaction.
    enum Work: Sendable {
        case statement(Command, ClientSession, Answer)
        case commit(Answer)
        case abort(Answer)
        /// Nobody's: it is to be rolled back.
        case expiry
    }

    let key: SessionKey
    let number: Int64
    let started: ContinuousClock.Instant
    private let work: AsyncStream<Work>.Continuation

    init(key: SessionKey, number: Int64, work: AsyncStream<Work>.Continuation) {
        self.key = key
        self.number = number
        self.work = work
        started = .now
    }

    /// Hands work to the transaction and waits for its answer.
    ///
    /// - Returns: The answer; `nil` when the transaction had ended before it was the work's turn. How it ended is known
    ///   by then.
    func perform(_ make: (Answer) -> Work) async throws(CommandError) -> WireReply? {
        let outcome = await withCheckedContinuation { (answer: Answer) in
            if case .enqueued = work.yield(make(answer)) { return }
            answer.resume(returning: nil)
        }
        return try outcome?.get()
    }

    /// Ends the transaction without an answer to anybody: it is rolled back as soon as its present statement ends.
    func expire() {
        work.yield(.expiry)
    }

    /// Takes no more work, because it is known how the transaction ended.
    func close() {
        work.finish()
    }
}
