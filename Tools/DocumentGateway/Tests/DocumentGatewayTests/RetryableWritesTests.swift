import DocumentGateway
import Testing

@Suite("Retryable writes")
struct RetryableWritesTests {
    private let key = SessionKey(id: Array(1...16), user: "a")

    @Test("The first write of a session looks for a record, later ones need not")
    func order() async {
        let writes = RetryableWrites()
        #expect(await writes.begin(key, 1) == .lookUp)
        writes.finish(key, 1, outcome: .done)
        #expect(await writes.begin(key, 1) == .replay)
        #expect(await writes.begin(key, 2) == .execute)
        writes.finish(key, 2, outcome: .withoutEffect)
        #expect(await writes.begin(key, 2) == .execute)
        writes.finish(key, 2, outcome: .unknown)
        #expect(await writes.begin(key, 2) == .lookUp)
        writes.finish(key, 2, outcome: .done)
        #expect(await writes.begin(key, 1) == .tooOld)
    }

    @Test("A write that is running is waited for")
    func waiting() async {
        let writes = RetryableWrites()
        #expect(await writes.begin(key, 1) == .lookUp)
        async let again = writes.begin(key, 1)
        async let third = writes.begin(key, 1)
        writes.finish(key, 1, outcome: .done)
        #expect(await [again, third] == [.replay, .replay])
    }

    @Test("Two users never share a session")
    func users() async {
        let writes = RetryableWrites()
        #expect(await writes.begin(key, 1) == .lookUp)
        #expect(await writes.begin(SessionKey(id: Array(1...16), user: "b"), 1) == .lookUp)
    }
}
