import Persistence
import PersistenceCore
import PersistencePostgres

extension Marketplace {
    /// Lists users by key, page by page, and counts them.
    func list() async throws {
        Console.step("List users, newest first")
        var request = try KeysetPageRequest(limit: 4)
        for number in 1...3 {
            let page = try await database.users.users(request)
            Console.line("page \(number)")
            for user in page.items {
                Console.line("    \(user.id)  \(user.email)  \(user.name)")
            }
            // What a client of the service gets, to send back for the next page.
            guard let cursor = page.next else { break }
            Console.line("    next page: \(cursor.token)")
            request = try KeysetPageRequest(limit: 4, cursor: PageCursor(token: cursor.token))
        }
        let last = try await database.users.users(OffsetPageRequest(limit: 4))
        Console.line("\(last.total) users in all")
    }
}
