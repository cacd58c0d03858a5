import PersistenceCore
import Testing

@Suite("Errors")
struct PersistenceErrorTests {
    @Test("a copy that is changed leaves the original as it was")
    func copies() {
        let original = PersistenceError(.timeout, operation: "Q")
        var copy = original
        copy.code = .deadlock
        copy.serverCode = "40P01"
        #expect(original.code == .timeout)
        #expect(original.serverCode == nil)
        #expect(original.with { $0.timeout = .lock }.timeout == .lock)
        #expect(original.timeout == nil)
    }

    @Test("the server's message, which can quote values, is in no description")
    func redaction() {
        struct Foreign: Error { let value = "hunter2" }
        let inner = PersistenceError(.server).with { $0.serverMessage = "hunter2" }
        for underlying in [inner, Foreign()] as [any Error] {
            let error = PersistenceError(.invalidData, operation: "SetAge").with {
                $0.serverCode = "22P02"
                $0.serverMessage = "invalid input syntax for type integer: \"hunter2\""
                $0.constraint = "age_check"
                $0.collection = "users"
                $0.column = "age"
                $0.location = "line 3"
                $0.underlying = underlying
            }
            var dumped = ""
            dump(error, to: &dumped)
            let texts = [
                "\(error)", error.debugDescription, String(reflecting: error), dumped, "\(error as any Error)",
                String(reflecting: Result<Int, PersistenceError>.failure(error)),
            ]
            for text in texts {
                #expect(!text.contains("hunter2"))
            }
            #expect(error.description == "invalidData in SetAge: the server refused a value [22P02]")
            for part in ["age_check", "users", "age", "line 3", "underlying"] {
                #expect(error.debugDescription.contains(part))
            }
        }
    }

    @Test("a refusal is told by the name of the constraint")
    func violates() {
        let taken = PersistenceError(.uniqueViolation).with { $0.constraint = "users_email_key" }
        #expect(taken.violates("users_email_key"))
        #expect(!taken.violates("users_email_keys"))
        #expect(!taken.violates(""))
        #expect(!PersistenceError(.uniqueViolation).violates(""))
    }

    @Test("every code has a name of its own and a sentence")
    func codes() {
        let codes = PersistenceError.Code.allCodes
        #expect(Set(codes.map(\.description)).count == codes.count)
        #expect(Set(codes.map { PersistenceError($0).summary }).count == codes.count)
    }

    @Test("only what was certainly not done is safe to retry unless the thrower says more")
    func retrySafety() {
        let safe = PersistenceError.Code.allCodes.filter { PersistenceError($0).retrySafety == .safe }
        #expect(Set(safe) == [.serializationFailure, .deadlock, .poolExhausted, .tooManyConnections])
        #expect(PersistenceError(.commitUnknown).retrySafety == .unknown)
        #expect(PersistenceError(.connection, retrySafety: .safe).retrySafety == .safe)
    }
}
