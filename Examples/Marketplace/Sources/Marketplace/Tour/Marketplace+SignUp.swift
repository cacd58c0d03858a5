import PersistencePostgres

extension Marketplace {
    /// Signs up the users of the file, batch by batch, in the memory that one batch takes.
    func signUp() async throws {
        Console.step("Sign up the users of \(plan.users)")
        var progress = Progress("rows")
        let result = try await UserImport(users: database.users, batchSize: plan.batchSize).run(file: plan.users) {
            progress.report($0.rows, fraction: $0.fractionRead)
        }
        progress.finish(result.rows)

        Console.line("\(result.created) signed up, \(result.taken.count) have an account already")
        Console.list(result.taken.first.map { "line \($0): the address has an account" }, of: result.taken.count)
        Console.line("\(result.faults.count) rows skipped")
        Console.list(result.faults.first.map { "line \($0.line): \($0.reason)" }, of: result.faults.count)
    }
}
