/// A transaction that is open: the way to the task that holds its connection.
struct OpenTransaction: Sendable {
    typealias Answer = CheckedContinuation<Result<WireReply, CommandError>, Never>

    /// What the client asks of the transaction.
    enum Work: Sendable {
        case statement(Command, ClientSession, Answer)
        case commit(Answer)
        case abort(Answer)
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
    func perform(_ make: (Answer) -> Work) async throws(CommandError) -> WireReply {
        let result = await withCheckedContinuation { (answer: Answer) in
            if case .enqueued = work.yield(make(answer)) { return }
            answer.resume(returning: .failure(.noSuchTransaction(number)))
        }
        return try result.get()
    }

    /// Ends the transaction without an answer to anybody: it is rolled back as soon as its present statement ends.
    func expire() {
        work.finish()
    }
}
