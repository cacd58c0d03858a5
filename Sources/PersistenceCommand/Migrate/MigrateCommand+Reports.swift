import ArgumentParser
import Foundation
import PersistenceCore
import PersistenceMigrations

/// The option of every command that only tells.
struct ReportOptions: ParsableArguments {
    @Flag(help: "Write JSON for programs.")
    var json = false
}

extension MigrateCommand {
    struct Version: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints the schema's version.",
            discussion: "Fails when there is none, as golang-migrate does; with --json it prints null instead.")

        @OptionGroup var folder: FolderOptions
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var report: ReportOptions

        func run() async throws {
            let asJSON = report.json
            try await database.withMigrator(.directory(folder.folder)) { migrator in
                let version = try await migrator.version()
                if asJSON {
                    try printJSON(VersionReport(version))
                } else if version == .none {
                    Terminal.error("error: no migration")
                    throw ExitCode(1)
                } else {
                    Terminal.print("\(version)")
                }
            }
        }
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists every migration and where it stands.", discussion: "Changes nothing.")

        @OptionGroup var folder: FolderOptions
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var report: ReportOptions

        func run() async throws {
            let asJSON = report.json
            try await database.withMigrator(.directory(folder.folder)) { migrator in
                let status = try await migrator.status()
                if asJSON {
                    try printJSON(StatusReport(status))
                } else {
                    printStatus(status)
                }
            }
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Fails when database and files disagree, or a file cannot be taken apart.",
            discussion: "Changes nothing. Pending migrations are no disagreement.")

        @OptionGroup var folder: FolderOptions
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var report: ReportOptions

        func run() async throws {
            let asJSON = report.json
            try await database.withMigrator(.directory(folder.folder)) { migrator in
                let status = try await migrator.verify()
                if asJSON {
                    try printJSON(StatusReport(status))
                } else {
                    for finding in status.findings {
                        Terminal.error("\(finding.kind.rawValue): \(finding.description)")
                    }
                    for file in status.ignoredFiles { Terminal.error("note: \(file) is no migration") }
                    if status.findings.isEmpty { Terminal.print("ok, \(status.pending.count) pending") }
                }
                if !status.findings.isEmpty { throw ExitCode(1) }
            }
        }
    }

    struct Plan: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints what up, down or goto would run.",
            discussion: "Changes nothing. Fails when the command would be refused.")

        enum Direction: String, ExpressibleByArgument, CaseIterable {
            case up, down, goto
        }

        @OptionGroup var folder: FolderOptions
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var policy: PolicyOptions
        @OptionGroup var report: ReportOptions

        @Flag(help: "Print the statements, too.")
        var sql = false

        @Argument(help: "The command: up, down or goto.")
        var direction = Direction.up

        @Argument(help: ArgumentHelp("How many migrations for up and down, the version for goto.", valueName: "n"))
        var number: Int64?

        func validate() throws {
            if let number, number < 0 { throw ValidationError("N is negative.") }
            if direction == .goto, number == nil { throw ValidationError("plan goto needs a version.") }
        }

        func run() async throws {
            let command: MigrationPlan.Command =
                switch direction {
                case .up: .up(limit: number.map { Int($0) })
                case .down: .down(limit: number.map { Int($0) })
                case .goto: .goto(number ?? 0)
                }
            let (asJSON, withSQL) = (report.json, sql)
            try await database.withMigrator(.directory(folder.folder), policy: policy.policy) { migrator in
                let plan = try await migrator.plan(command)
                if asJSON {
                    try printJSON(PlanReport(plan, withSQL: withSQL))
                } else {
                    printPlan(plan, withSQL: withSQL)
                }
            }
        }
    }
}

// MARK: - For a person

private func printStatus(_ status: MigrationStatus) {
    Terminal.print("version \(status.current)")
    let width = status.items.map { String($0.version).count }.max() ?? 0
    for item in status.items {
        let version = String(item.version)
        let details = [
            item.record.map { $0.recordedAt.formatted(.iso8601) },
            item.record?.duration.map(Terminal.text(of:)),
            item.record.map { "\($0.action) by \($0.applier)" },
            item.hasDown || item.state == .missing ? nil : "no down file",
        ].compactMap(\.self)
        let line =
            String(repeating: " ", count: width - version.count) + version + "  "
            + item.state.rawValue.padding(toLength: 10, withPad: " ", startingAt: 0) + "  " + item.title
        Terminal.print(details.isEmpty ? line : line + "  (" + details.joined(separator: ", ") + ")")
    }
    for finding in status.findings { Terminal.error("\(finding.kind.rawValue): \(finding.description)") }
    for file in status.ignoredFiles { Terminal.error("note: \(file) is no migration") }
}

private func printPlan(_ plan: MigrationPlan, withSQL: Bool) {
    for finding in plan.accepted { Terminal.error("warning: \(finding.description)") }
    if plan.steps.isEmpty { Terminal.print("no change") }
    for step in plan.steps {
        let count = step.script.statements.count
        Terminal.print(
            "\(step.from ?? -1) -> \(step.to ?? -1)  \(step.direction)  \(step.script.file.path)  "
                + "\(count) statement\(count == 1 ? "" : "s")"
                + (step.script.runsInTransaction ? "" : ", outside a transaction"))
        if withSQL {
            for statement in step.script.statements { Terminal.print(statement.text + ";") }
        }
    }
    if plan.shortfall > 0 { Terminal.error("warning: \(plan.shortfall) fewer than asked for") }
}

// MARK: - For programs

private func printJSON(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .iso8601
    Terminal.print(String(decoding: try encoder.encode(value), as: UTF8.self))
}

/// Keeps a key whose value is `null`, which synthesized code would leave out.
private struct Nullable<Value: Encodable>: Encodable {
    let value: Value?

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let value { try container.encode(value) } else { try container.encodeNil() }
    }
}

private struct VersionReport: Encodable {
    let version: Nullable<Int64>
    let dirty: Bool

    init(_ version: SchemaVersion) {
        self.version = Nullable(value: version.version)
        dirty = version.isDirty
    }
}

private struct FindingReport: Encodable {
    let kind: String
    let version: Int64
    let description: String

    init(_ finding: MigrationStatus.Finding) {
        kind = finding.kind.rawValue
        version = finding.version
        description = finding.description
    }
}

private struct StatusReport: Encodable {
    struct Item: Encodable {
        let version: Int64
        let title: String
        let state: String
        let hasUp: Bool
        let hasDown: Bool
        let action: String?
        let checksum: String?
        let recordedAt: Date?
        let durationSeconds: Double?
        let applier: String?
    }

    let version: Nullable<Int64>
    let dirty: Bool
    let ok: Bool
    let pending: Int
    let migrations: [Item]
    let findings: [FindingReport]
    let ignoredFiles: [String]

    init(_ status: MigrationStatus) {
        version = Nullable(value: status.current.version)
        dirty = status.current.isDirty
        ok = status.findings.isEmpty
        pending = status.pending.count
        migrations = status.items.map { item in
            Item(
                version: item.version, title: item.title, state: item.state.rawValue, hasUp: item.hasUp,
                hasDown: item.hasDown, action: item.record?.action.rawValue, checksum: item.record?.checksum,
                recordedAt: item.record?.recordedAt,
                durationSeconds: item.record?.duration.map {
                    Double($0.components.seconds) + Double($0.components.attoseconds) / 1e18
                }, applier: item.record?.applier)
        }
        findings = status.findings.map(FindingReport.init)
        ignoredFiles = status.ignoredFiles
    }
}

private struct PlanReport: Encodable {
    struct Step: Encodable {
        let version: Int64
        let title: String
        let direction: String
        let file: String
        let from: Nullable<Int64>
        let to: Nullable<Int64>
        let transaction: Bool
        let statements: Int
        let sql: [String]?
    }

    let version: Nullable<Int64>
    let target: Nullable<Int64>
    let shortfall: Int
    let steps: [Step]
    let accepted: [FindingReport]

    init(_ plan: MigrationPlan, withSQL: Bool) {
        version = Nullable(value: plan.current.version)
        target = Nullable(value: plan.target)
        shortfall = plan.shortfall
        steps = plan.steps.map { step in
            Step(
                version: step.migration.version, title: step.migration.title, direction: step.direction.rawValue,
                file: step.script.file.path, from: Nullable(value: step.from), to: Nullable(value: step.to),
                transaction: step.script.runsInTransaction, statements: step.script.statements.count,
                sql: withSQL ? step.script.statements.map(\.text) : nil)
        }
        accepted = plan.accepted.map(FindingReport.init)
    }
}
