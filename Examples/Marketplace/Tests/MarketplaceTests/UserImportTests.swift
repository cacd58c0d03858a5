import Foundation
import Persistence
import PersistenceTesting
import Testing

@testable import marketplace

@Suite("Signing up the users of a file")
struct UserImportTests {
    private let database = InMemoryDatabase()

    private var userImport: UserImport<InMemoryUserRepository> {
        UserImport(users: database.users, batchSize: 3)
    }

    @Test("Good rows are signed up, bad ones are told with their lines, and nothing else is lost")
    func mixed() async throws {
        let text = """
            Name,Email,Note
            Ada,ada@example.org,
            Grace,grace@example.org,"two
            lines"
            Ada again,ADA@Example.org,
            Nobody,nobody at example.org,
            ,empty@example.org,
            Short,short@example.org
            "Open,open@example.org,
            Žofia,zofia@example.org,last
            """
        let result = try await withFile(Data(text.utf8)) { try await userImport.run(file: $0) }
        #expect(result.rows == 8)
        #expect(result.created == 3)
        #expect(result.taken.first == [5])
        #expect(result.faults.first.map(\.line) == [6, 7, 8, 9])
        #expect(try await database.users.user(email: EmailAddress("zofia@example.org"))?.name.text == "Žofia")
        #expect(!result.faults.first.contains { $0.reason.contains("example.org") })
    }

    @Test("A second run signs nobody up and says so")
    func twice() async throws {
        let text = "email,name\n" + (0..<20).map { "u\($0)@example.org,U\($0)\n" }.joined()
        try await withFile(Data(text.utf8)) { path in
            #expect(try await userImport.run(file: path).created == 20)
            let second = try await userImport.run(file: path)
            #expect(second.created == 0)
            #expect(second.taken.count == 20)
            #expect(second.taken.first == Array(2...11))
        }
    }

    @Test("Progress is told batch by batch, up to the whole file")
    func progress() async throws {
        let text = "email,name\n" + (0..<7).map { "u\($0)@example.org,U\($0)\n" }.joined()
        var told: [Int] = []
        var fraction = 0.0
        try await withFile(Data(text.utf8)) { path in
            _ = try await userImport.run(file: path) { result in
                told.append(result.rows)
                #expect(result.fractionRead > fraction)
                fraction = result.fractionRead
            }
        }
        #expect(told == [3, 6, 7])
        #expect(fraction == 1)
    }

    @Test(
        "A file without the columns is refused, naming what is missing",
        arguments: ["", "a,b\n", "email\n", "name,x\n"])
    func columns(text: String) async throws {
        try await withFile(Data(text.utf8)) { path in
            let error = await #expect(throws: UserImportError.self) { try await userImport.run(file: path) }
            #expect(error?.missing.isEmpty == false)
        }
    }

    @Test("The sample has what its script put into it")
    func sample() async throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Data/users.csv")
        let result = try await UserImport(users: database.users, batchSize: 500)
            .run(file: path.standardizedFileURL.path())
        #expect(result.rows == 5005, "the quotation mark that is never closed swallows no other row")
        #expect(result.taken.count > 0)
        #expect(result.faults.count > 0)
        #expect(result.created + result.taken.count + result.faults.count == result.rows)
    }
}
