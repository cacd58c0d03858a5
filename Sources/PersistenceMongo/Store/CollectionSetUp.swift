import BSON
import MongoEngine
import PersistenceCore

/// Makes a collection with its indexes.
///
/// The server does that once however many processes ask for it at the same moment: the second finds the indexes there and
/// changes nothing.
struct CollectionSetUp: Sendable {
    let database: MongoDatabase
    let name: String
    let indexes: DocumentIndexes

    func run() async throws(PersistenceError) {
        let command: Document = [
            "createIndexes": .string(name), "indexes": .array(BSONArray(indexes.specifications.map { .document($0) })),
        ]
        var attempt = 1
        while true {
            do throws(PersistenceError) {
                _ = try await database.runCommand(command, isWrite: true)
                return
            } catch {
                // Two processes that make one collection in the same moment can get into each other's way. To ask again is
                // safe, because an index that is there stays as it is.
                guard attempt < Self.maximumAttempts, Self.isConflict(error) else { throw error }
                attempt += 1
                await Task.yield()
            }
        }
    }

    private static func isConflict(_ error: PersistenceError) -> Bool {
        switch error.code {
        case .serializationFailure, .deadlock, .uniqueViolation, .lockNotAvailable: true
        case .timeout: error.timeout == .lock
        // 48: NamespaceExists; 68: IndexAlreadyExists.
        default: error.serverCode == "48" || error.serverCode == "68"
        }
    }

    private static var maximumAttempts: Int { 20 }
}
