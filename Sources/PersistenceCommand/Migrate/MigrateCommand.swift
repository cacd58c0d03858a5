import ArgumentParser
import PersistenceCore
import PersistenceMigrations

struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Brings a database's schema to a version and back.",
        discussion: """
            Files, version table and commands are golang-migrate's, so that either tool can go on where the other has \
            stopped. Each file runs in one transaction together with its version, unless a comment \
            "-- persistence:no-transaction" stands before its first statement.

            Exit codes: 0 success or no change, 1 failure, 2 a command line that cannot be understood, 130 interrupted.
            """,
        subcommands: [
            Create.self, Up.self, Down.self, Goto.self, Force.self, Version.self, Status.self, Verify.self, Plan.self,
            Drop.self,
        ]
    )

    // Declared here, too, so that options may stand before the command, as golang-migrate wants them.
    @OptionGroup var folder: FolderOptions
    @OptionGroup var database: DatabaseOptions
}

extension MigrateCommand {
    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Adds an empty pair of files to the folder.")

        @OptionGroup var folder: FolderOptions

        @Flag(
            name: [.long, .customLong("seq", withSingleDash: true)],
            help: "Number the files 000001, 000002 … instead of by the time in UTC.")
        var seq = false

        @Option(
            name: [.long, .customLong("digits", withSingleDash: true)],
            help: ArgumentHelp("The digits of a number; implies --seq (default: 6).", valueName: "n"))
        var digits: Int?

        @Option(
            name: [.customLong("ext"), .customLong("ext", withSingleDash: true)],
            help: ArgumentHelp("For golang-migrate's command lines; only sql is offered.", valueName: "extension"))
        var fileExtension = "sql"

        @Option(
            name: [.customLong("dir"), .customLong("dir", withSingleDash: true)],
            help: ArgumentHelp("The same as --path.", valueName: "folder"))
        var directory: String?

        @Argument(help: "What the migration does, such as create_users.")
        var name: String

        func validate() throws {
            guard ["sql", ".sql"].contains(fileExtension) else { throw ValidationError("--ext can only be sql.") }
            if let digits, !(1...18).contains(digits) { throw ValidationError("--digits is not between 1 and 18.") }
            if directory?.isEmpty == true { throw ValidationError("--dir is empty.") }
        }

        func run() throws {
            let numbering: MigrationFolder.Numbering =
                seq || digits != nil ? .sequential(digits: digits ?? 6) : .timestamp
            let files = try MigrationFolder(directory ?? folder.folder).addMigration(titled: name, numbering: numbering)
            files.forEach(Terminal.print)
        }
    }

    struct Up: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Applies all pending migrations, or the next N.")

        @OptionGroup var folder: FolderOptions
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var policy: PolicyOptions

        @Argument(help: ArgumentHelp("How many to apply.", valueName: "n"))
        var limit: Int?

        func validate() throws {
            if let limit, limit < 0 { throw ValidationError("N is negative.") }
        }

        func run() async throws {
            let limit = limit
            try await database.withMigrator(.directory(folder.folder), policy: policy.policy, progress: true) {
                try finish(try await $0.up(limit: limit), limit: limit)
            }
        }
    }

    struct Down: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Takes back the last N migrations, or all of them.",
            discussion: "Without N it asks first; where nobody can be asked, say --force.")

        @OptionGroup var folder: FolderOptions
        @OptionGroup var database: DatabaseOptions

        @Flag(name: [.long, .customLong("all", withSingleDash: true)], help: "Take back all migrations; asks first.")
        var all = false

        @Flag(name: .shortAndLong, help: "Do not ask.")
        var force = false

        @Argument(help: ArgumentHelp("How many to take back.", valueName: "n"))
        var limit: Int?

        func validate() throws {
            if let limit, limit < 0 { throw ValidationError("N is negative.") }
            if all, limit != nil { throw ValidationError("--all and N exclude each other.") }
        }

        func run() async throws {
            let limit = limit
            if limit == nil, !force {
                try confirm("Take back all migrations, with the data in their tables?", bypass: "--force")
            }
            try await database.withMigrator(.directory(folder.folder), progress: true) {
                try finish(try await $0.down(limit: limit), limit: limit)
            }
        }
    }

    struct Goto: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Goes to version V, up or down.")

        @OptionGroup var folder: FolderOptions
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var policy: PolicyOptions

        @Argument(help: ArgumentHelp("The version.", valueName: "v"))
        var version: Int64

        func validate() throws {
            if version < 0 { throw ValidationError("V is negative.") }
        }

        func run() async throws {
            let version = version
            try await database.withMigrator(.directory(folder.folder), policy: policy.policy, progress: true) {
                try finish(try await $0.goto(version), limit: nil)
            }
        }
    }

    struct Force: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sets version V without running anything; ends a dirty state.",
            discussion: """
                V is -1 for none. Files up to V count as applied in their present form from then on, so that forcing the \
                present version accepts changed and missing files.
                """)

        @OptionGroup var folder: FolderOptions
        @OptionGroup var database: DatabaseOptions

        // An argument that may begin with a dash.
        @Argument(parsing: .allUnrecognized, help: ArgumentHelp("The version, or -1 for none.", valueName: "v"))
        var arguments: [String]

        private var version: Int64? { arguments.count == 1 ? Int64(arguments[0]) : nil }

        func validate() throws {
            guard let version, version >= -1 else {
                throw ValidationError("force takes one version V, which is -1 or greater.")
            }
        }

        func run() async throws {
            let version = version ?? -1
            let source = MigrationSource.directory(folder.folder)
            try await database.withMigrator(source, progress: true) { migrator in
                let before = try await migrator.force(version == -1 ? nil : version)
                Terminal.print("\(version), was \(before)")
                if version != -1, try source.load()[version: version] == nil {
                    Terminal.error("note: there is no migration \(version) in \(folder.folder)")
                }
            }
        }
    }

    struct Drop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Drops everything in the schema; asks first.",
            discussion: "What belongs to an extension stays. Where nobody can be asked, say --force.")

        @OptionGroup var folder: FolderOptions
        @OptionGroup var database: DatabaseOptions

        @Flag(name: .shortAndLong, help: "Do not ask.")
        var force = false

        func run() async throws {
            if !force { try confirm("Drop everything in the schema, with all data?", bypass: "--force") }
            try await database.withMigrator(.directory(folder.folder), progress: true) { migrator in
                let count = try await migrator.drop()
                Terminal.print("\(count) objects dropped")
            }
        }
    }
}

/// Asks, and fails unless the answer is yes.
private func confirm(_ question: String, bypass: String) throws {
    switch Terminal.confirm(question) {
    case true?: return
    case false?:
        Terminal.error("nothing was done")
        throw ExitCode(1)
    case nil:
        Terminal.error("error: nobody can be asked, because the standard input is not a terminal; use \(bypass)")
        throw ExitCode(1)
    }
}

/// Tells what has changed; like golang-migrate, fails when there were fewer migrations than were asked for.
private func finish(_ report: MigrationReport, limit: Int?) throws {
    for finding in report.accepted { Terminal.error("warning: \(finding.description)") }
    if report.isUnchanged { Terminal.print("no change") }
    if report.shortfall > 0, let limit {
        Terminal.error("error: there are \(report.shortfall) migrations fewer than the \(limit) asked for")
        throw ExitCode(1)
    }
}
