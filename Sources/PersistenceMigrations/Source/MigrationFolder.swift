public import PersistenceCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A folder of migration files that new ones are added to.
public struct MigrationFolder: Hashable, Sendable {
    /// How a new migration gets its version.
    public enum Numbering: Hashable, Sendable {
        /// One more than the highest version in the folder, written with at least so many digits.
        case sequential(digits: Int)
        /// The time in UTC as year, month, day, hour, minute and second, which seldom collides between branches.
        case timestamp
    }

    /// The folder's path.
    public let path: String

    /// Names a folder, which need not exist.
    ///
    /// - Parameter path: The folder's path; a relative one starts at the working directory.
    public init(_ path: String) {
        self.path = path
    }

    /// Adds an empty pair of files, and the folder if there is none.
    ///
    /// - Parameters:
    ///   - title: What the migration does, such as `create_users`; white space becomes an underscore.
    ///   - numbering: How the version is chosen.
    /// - Returns: The paths of the up file and the down file.
    /// - Throws: ``PersistenceError`` with the code `invalidArgument` for a title that cannot be part of a file's name or
    ///   a number of digits that is not between 1 and 18 or does not suffice; with the code `migration` when the folder
    ///   holds files that cannot be read, or the version is taken; with the code `configuration` when a file cannot be
    ///   written. Nothing is left behind then.
    public func addMigration(
        titled title: String, numbering: Numbering = .sequential(digits: 6)
    ) throws(PersistenceError) -> [String] {
        try addMigration(titled: title, numbering: numbering, now: Date())
    }

    func addMigration(
        titled title: String, numbering: Numbering, now: Date
    ) throws(PersistenceError) -> [String] {
        let title = title.split(whereSeparator: \.isWhitespace).joined(separator: "_")
        try Self.check(title)
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw PersistenceError(.configuration, "the folder \(path) cannot be made").with { $0.underlying = error }
        }
        let existing = try MigrationSource.directory(path).load()
        let (version, text) = try Self.version(numbering, after: existing, now: now)
        if existing[version: version] != nil {
            throw PersistenceError(.migration, "there is a migration \(version) in \(path) already")
        }
        var created: [String] = []
        for direction in [MigrationDirection.up, .down] {
            let file = "\(path.hasSuffix("/") ? path : path + "/")\(text)_\(title).\(direction).sql"
            do {
                try Data().write(to: URL(filePath: file), options: .withoutOverwriting)
                created.append(file)
            } catch {
                for file in created { try? FileManager.default.removeItem(atPath: file) }
                throw PersistenceError(.configuration, "\(file) cannot be written").with { $0.underlying = error }
            }
        }
        return created
    }

    private static func check(_ title: String) throws(PersistenceError) {
        let isWrong =
            title.isEmpty || title.utf8.count > 200 || title.hasPrefix(".")
            || title.unicodeScalars.contains { $0 == "/" || $0 == "\\" || $0.value < 0x20 || $0.value == 0x7F }
            || title.contains(".up.") || title.contains(".down.")
        if isWrong {
            throw PersistenceError(
                .invalidArgument,
                "a migration's title is 1 to 200 bytes long, and has no slash, control character, .up. or .down. in it")
        }
    }

    private static func version(
        _ numbering: Numbering, after existing: MigrationSet, now: Date
    ) throws(PersistenceError) -> (version: Int64, text: String) {
        switch numbering {
        case .sequential(let digits):
            guard (1...18).contains(digits) else {
                throw PersistenceError(.invalidArgument, "a version has 1 to 18 digits")
            }
            let (next, overflow) = (existing.migrations.last?.version ?? 0).addingReportingOverflow(1)
            let text = String(next)
            guard !overflow, text.count <= digits else {
                throw PersistenceError(
                    .invalidArgument, "the next version in \(existing.origin) has more than \(digits) digits")
            }
            return (next, String(repeating: "0", count: digits - text.count) + text)
        case .timestamp:
            var calendar = Calendar(identifier: .gregorian)
            calendar.timeZone = .gmt
            let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute, .second], from: now)
            var text = String(parts.year ?? 0)
            for part in [parts.month, parts.day, parts.hour, parts.minute, parts.second] {
                let digits = String(part ?? 0)
                text += digits.count < 2 ? "0" + digits : digits
            }
            return (Int64(text) ?? 0, text)
        }
    }
}
