import Persistence
import PersistenceCore

/// Signs up the users of a CSV file.
///
/// It knows the repository's protocol and no database, so that it is tested in memory.
struct UserImport<Users: UserRepository> {
    let users: Users
    /// How many users are signed up in one round trip.
    let batchSize: Int

    /// Signs up everybody in the file whose row is good and whose address is free.
    ///
    /// Batches are small transactions of their own: what was signed up stays, and a second run goes on where the first
    /// was interrupted.
    ///
    /// - Parameters:
    ///   - path: The file's path; its first row names the columns, among them `email` and `name`.
    ///   - progress: Told after each batch.
    /// - Returns: What became of the rows.
    /// - Throws: ``UserImportError`` when the columns are missing, errors of the file system and of the database.
    func run(file path: String, progress: (UserImportResult) -> Void = { _ in }) async throws -> UserImportResult {
        var reader = try CSVReader(path: path)
        let columns = try Columns(header: reader.next())
        var result = UserImportResult()
        var batch: [(line: Int, user: NewUser)] = []

        while let row = try reader.next() {
            result.rows += 1
            switch row {
            case .malformed(let reason, let line):
                result.faults.append(UserImportResult.Fault(line: line, reason: reason))
            case .fields(let fields, let line):
                do throws(PersistenceError) {
                    batch.append((line, try columns.user(in: fields)))
                } catch {
                    result.faults.append(UserImportResult.Fault(line: line, reason: error.summary))
                }
            }
            if batch.count == batchSize {
                try await signUp(&batch, into: &result)
                result.fractionRead = Double(reader.bytesRead) / Double(max(1, reader.byteCount))
                progress(result)
            }
        }
        try await signUp(&batch, into: &result)
        result.fractionRead = 1
        progress(result)
        return result
    }

    private func signUp(_ batch: inout [(line: Int, user: NewUser)], into result: inout UserImportResult) async throws {
        let created = Set(try await users.createManyIfAbsent(batch.map(\.user)).map(\.id))
        result.created += created.count
        for (line, user) in batch where !created.contains(user.id) {
            result.taken.append(line)
        }
        batch.removeAll(keepingCapacity: true)
    }
}

/// Where a file has what is needed.
private struct Columns {
    private let email: Int
    private let name: Int

    init(header: CSVReader.Row?) throws(UserImportError) {
        guard case .fields(let titles, _) = header else { throw UserImportError(missing: ["email", "name"]) }
        let names = titles.map { $0.lowercased() }
        guard let email = names.firstIndex(of: "email"), let name = names.firstIndex(of: "name") else {
            throw UserImportError(missing: ["email", "name"].filter { !names.contains($0) })
        }
        self.email = email
        self.name = name
    }

    func user(in fields: [String]) throws(PersistenceError) -> NewUser {
        NewUser(email: try EmailAddress(fields[email]), name: try DisplayName(fields[name]))
    }
}

/// A file without the columns that are needed.
struct UserImportError: Error, CustomStringConvertible {
    let missing: [String]

    var description: String {
        "the first row of the file names no column \(missing.joined(separator: " and no column "))"
    }
}
