import Foundation
import MongoEngine
import Persistence
import PersistenceCore
import PersistenceMongo

/// Writes to jobs as a process of its own, for the tests of what several processes do at once.
///
/// ```
/// usage: JobWriter DATABASE WORKSPACE JOB,… COUNT [PORT]
/// ```
///
/// The server is that of `MONGO_URL`, or, with a port, what listens there on this machine. It prints `ready` when it is
/// connected, waits for a line on its standard input, and then writes to all jobs at once, so many documents to each. Each
/// one that was acknowledged is printed with its job; `done` comes last.
@main
struct JobWriter {
    private struct Usage: Error {}

    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard arguments.count >= 4, let uri = ProcessInfo.processInfo.environment["MONGO_URL"],
            let workspace = WorkspaceID(arguments[2]), let count = Int(arguments[4])
        else { throw Usage() }
        let jobs = arguments[3].split(separator: ",").compactMap { JobID(String($0)) }
        var configuration = try MongoConfiguration(uri: uri)
        configuration.database = arguments[1]
        configuration.pool = MongoPoolConfiguration(maximum: 4)
        // A server of a replica set would send the driver past a proxy.
        configuration.isDirectConnection = true
        if let port = arguments.dropFirst(4).first.flatMap({ Int($0) }) {
            configuration.hosts = [MongoHost("127.0.0.1", port: port)]
        }
        try await MongoDatabase.with(configuration) { database in
            try await database.ping()
            say("ready")
            guard readLine() != nil else { return }
            let store = MongoDocumentStore(database)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for job in jobs {
                    for _ in 0..<count {
                        group.addTask {
                            let item = ActivityMetadata()
                            try await store.activityMetadata(workspace: workspace, job: job).insert(item)
                            say("\(job) \(item.activity)")
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        say("done")
    }

    /// Prints a line at once, and whole.
    private static func say(_ line: String) {
        FileHandle.standardOutput.write(Data((line + "\n").utf8))
    }
}
