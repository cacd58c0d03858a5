public import PersistenceCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The programs of a PostgreSQL server that is installed on this machine.
public struct PostgresInstallation: Sendable, Equatable {
    /// The folder of `initdb`, `postgres`, `pg_ctl`, `psql` and the others.
    public let programs: String
    /// A `psql` of somewhere else.
    private var psql: String?

    /// Takes a folder of programs as it is.
    ///
    /// - Parameter programs: The folder.
    /// - Throws: ``PersistenceError`` with the code `configuration` when the folder lacks a program of the server.
    public init(programs: String) throws(PersistenceError) {
        let missing = Self.missingPrograms(in: programs)
        guard missing.isEmpty else {
            throw PersistenceError(
                .configuration, "\(programs) has no \(missing.joined(separator: ", "))", operation: "server.find")
        }
        self.programs = programs
    }

    /// Takes a folder of a server's programs, and `psql` from elsewhere: one that runs on this machine's own libraries.
    package init(programs: String, psql: String) throws(PersistenceError) {
        try self.init(programs: programs)
        self.psql = psql
    }

    /// The newest server that is installed: the one that the environment variable `PG_CONFIG` names, or Debian's,
    /// Homebrew's, or the one of the `pg_config` on the path.
    ///
    /// - Returns: The installation.
    /// - Throws: ``PersistenceError`` with the code `configuration` when there is none, saying how to get one.
    public static func find() async throws(PersistenceError) -> PostgresInstallation {
        // Looking needs no other user than the caller.
        let process = ServerProcess(user: ServerUser(identity: 0, group: 0, isAnother: false))
        if let configured = ProcessInfo.processInfo.environment["PG_CONFIG"] {
            let folder = try await process.require(configured, ["--bindir"])
            return try PostgresInstallation(programs: folder.trimmingSuffix(while: \.isNewline))
        }
        for folder in versionedFolders() where missingPrograms(in: folder).isEmpty {
            return try PostgresInstallation(programs: folder)
        }
        if let result = try? await process.run("pg_config", ["--bindir"]), result.isSuccess {
            let folder = result.output.trimmingSuffix(while: \.isNewline)
            if missingPrograms(in: folder).isEmpty { return try PostgresInstallation(programs: folder) }
        }
        throw PersistenceError(
            .configuration,
            "no PostgreSQL server is installed; Debian: apt-get install postgresql, macOS: brew install postgresql",
            operation: "server.find")
    }

    /// The path of one of the programs.
    ///
    /// - Parameter name: The program's name, such as `psql`.
    /// - Returns: Its path, whether or not there is such a program.
    public func program(_ name: String) -> String {
        if name == "psql", let psql { return psql }
        return "\(programs)/\(name)"
    }

    private static func missingPrograms(in folder: String) -> [String] {
        ["initdb", "postgres", "pg_ctl", "psql"].filter {
            !FileManager.default.isExecutableFile(atPath: "\(folder)/\($0)")
        }
    }

    /// Folders that have a version in their path, the newest version first.
    private static func versionedFolders() -> [String] {
        let parents = [
            ("/usr/lib/postgresql", ""), ("/opt/homebrew/opt", "postgresql@"), ("/usr/local/opt", "postgresql@"),
        ]
        var found: [(version: Int, folder: String)] = []
        for (parent, prefix) in parents {
            for name in (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
            where name.hasPrefix(prefix) {
                if let version = Int(name.dropFirst(prefix.count)) {
                    found.append((version, "\(parent)/\(name)/bin"))
                }
            }
        }
        return found.sorted { $0.version > $1.version }.map(\.folder)
    }
}

extension String {
    fileprivate func trimmingSuffix(while predicate: (Character) -> Bool) -> String {
        var end = endIndex
        while end > startIndex, predicate(self[index(before: end)]) { end = index(before: end) }
        return String(self[..<end])
    }
}
