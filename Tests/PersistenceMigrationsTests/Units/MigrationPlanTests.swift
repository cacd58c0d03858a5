import Foundation
import PersistenceCore
import PersistenceMigrations
import Testing

@Suite("Planning migrations")
struct MigrationPlanTests {
    private func files(_ versions: [Int64], down: Bool = true) throws -> MigrationSet {
        try MigrationSource.embedded(
            versions.flatMap { version in
                [MigrationFile(name: "\(version)_m.up.sql", text: "SELECT \(version)")]
                    + (down ? [MigrationFile(name: "\(version)_m.down.sql", text: "SELECT -\(version)")] : [])
            }
        ).load()
    }

    private func ledger(_ lines: [(Int64, MigrationRecord.Action)]) -> [MigrationRecord] {
        lines.map { version, action in
            MigrationRecord(
                version: version, title: "m", action: action, checksum: "sum\(version)",
                recordedAt: Date(timeIntervalSince1970: 0),
                duration: nil, applier: "test")
        }
    }

    private func plan(
        _ command: MigrationPlan.Command, _ files: MigrationSet, at current: SchemaVersion,
        ledger: [MigrationRecord] = [], checksums: [Int64: String] = [:], policy: MigrationPolicy = .init()
    ) throws(PersistenceError) -> MigrationPlan {
        let status = MigrationStatus(files, current: current, ledger: ledger, checksums: checksums)
        return try MigrationPlan(command, files, status: status, policy: policy)
    }

    private func fault(_ body: () throws(PersistenceError) -> MigrationPlan) -> PersistenceError? {
        do throws(PersistenceError) {
            _ = try body()
            return nil
        } catch {
            return error
        }
    }

    private func steps(_ plan: MigrationPlan) -> [String] {
        plan.steps.map { "\($0.direction) \($0.migration.version): \($0.from ?? -1)>\($0.to ?? -1)" }
    }

    @Test("up applies what is newer, in order, as many as asked for")
    func up() throws {
        let files = try files([1, 2, 5])
        #expect(steps(try plan(.up(limit: nil), files, at: .none)) == ["up 1: -1>1", "up 2: 1>2", "up 5: 2>5"])
        #expect(steps(try plan(.up(limit: 1), files, at: SchemaVersion(1))) == ["up 2: 1>2"])
        #expect(try plan(.up(limit: 0), files, at: SchemaVersion(1)).steps.isEmpty)
        let short = try plan(.up(limit: 3), files, at: SchemaVersion(2))
        #expect(steps(short) == ["up 5: 2>5"])
        #expect(short.shortfall == 2)
        #expect(short.target == 5)
        #expect(try plan(.up(limit: nil), files, at: SchemaVersion(5)).steps.isEmpty)
    }

    @Test("down takes back what is applied, newest first")
    func down() throws {
        let files = try files([1, 2, 5])
        #expect(
            steps(try plan(.down(limit: nil), files, at: SchemaVersion(5))) == [
                "down 5: 5>2", "down 2: 2>1", "down 1: 1>-1",
            ])
        let short = try plan(.down(limit: 3), files, at: SchemaVersion(1))
        #expect(steps(short) == ["down 1: 1>-1"])
        #expect(short.shortfall == 2)
        #expect(short.target == nil)
        #expect(try plan(.down(limit: nil), files, at: .none).steps.isEmpty)
    }

    @Test("goto goes either way")
    func goto() throws {
        let files = try files([1, 2, 5])
        #expect(steps(try plan(.goto(2), files, at: .none)) == ["up 1: -1>1", "up 2: 1>2"])
        #expect(steps(try plan(.goto(1), files, at: SchemaVersion(5))) == ["down 5: 5>2", "down 2: 2>1"])
        #expect(try plan(.goto(2), files, at: SchemaVersion(2)).steps.isEmpty)
        #expect(
            fault { () throws(PersistenceError) in
                try plan(.goto(3), files, at: .none)
            }?.code == .migration)
        #expect(
            fault { () throws(PersistenceError) in
                try plan(.goto(0), files, at: SchemaVersion(1))
            }?.summary.hasSuffix("; to take back everything use down") == true)
        #expect(
            fault { () throws(PersistenceError) in
                try plan(.goto(-1), files, at: .none)
            }?.code == .invalidArgument)
    }

    @Test("negative limits, empty folders and dirty databases are refused")
    func refused() throws {
        let files = try files([1])
        let none = try self.files([])
        #expect(
            fault { () throws(PersistenceError) in
                try plan(.up(limit: -1), files, at: .none)
            }?.code == .invalidArgument)
        #expect(
            fault { () throws(PersistenceError) in
                try plan(.down(limit: .min), files, at: .none)
            }?.code == .invalidArgument)
        #expect(
            fault { () throws(PersistenceError) in
                try plan(.up(limit: nil), none, at: .none)
            }?.code == .migration)
        for command in [MigrationPlan.Command.up(limit: nil), .down(limit: 1), .goto(1)] {
            let error = fault { () throws(PersistenceError) in
                try plan(command, files, at: SchemaVersion(1, isDirty: true))
            }
            #expect(error?.summary.contains("dirty at version 1") == true)
        }
    }

    @Test("a missing file is told when it is needed, and not before")
    func missingFiles() throws {
        let files = try MigrationSource.embedded([
            MigrationFile(name: "1_a.up.sql", text: ""), MigrationFile(name: "2_b.down.sql", text: ""),
        ]).load()
        #expect(steps(try plan(.up(limit: 1), files, at: .none)) == ["up 1: -1>1"])
        let noUp = fault { () throws(PersistenceError) in
            try plan(.up(limit: nil), files, at: .none)
        }
        #expect(noUp?.summary.contains("no up file") == true)
        let noDown = fault { () throws(PersistenceError) in
            try plan(.down(limit: 1), files, at: SchemaVersion(1))
        }
        #expect(noDown?.summary.contains("1_a.up.sql cannot be taken back") == true)
    }

    @Test("a file that cannot be taken apart stops the plan before anything runs")
    func syntax() throws {
        let files = try MigrationSource.embedded([
            MigrationFile(name: "1_a.up.sql", text: ""), MigrationFile(name: "2_b.up.sql", text: "SELECT '"),
        ]).load()
        let error = fault { () throws(PersistenceError) in
            try plan(.up(limit: nil), files, at: .none)
        }
        #expect(error?.location == "2_b.up.sql:1:8")
    }

    @Test("a changed file is refused, or accepted and told")
    func changed() throws {
        let files = try files([1, 2])
        let ledger = ledger([(1, .up)])
        let same = try plan(.up(limit: nil), files, at: SchemaVersion(1), ledger: ledger, checksums: [1: "sum1"])
        #expect(steps(same) == ["up 2: 1>2"])
        let error = fault { () throws(PersistenceError) in
            try plan(.up(limit: nil), files, at: SchemaVersion(1), ledger: ledger, checksums: [1: "other"])
        }
        #expect(error?.summary.contains("version 1 (m) has changed") == true)
        let accepted = try plan(
            .up(limit: nil), files, at: SchemaVersion(1), ledger: ledger, checksums: [1: "other"],
            policy: MigrationPolicy(changed: .accept))
        #expect(accepted.accepted.map(\.kind) == [.changed])
        // Taking back does not need the up file to be what it was.
        #expect(
            steps(try plan(.down(limit: 1), files, at: SchemaVersion(1), ledger: ledger, checksums: [1: "other"]))
                == ["down 1: 1>-1"])
    }

    @Test("a file older than the schema is refused, applied first, or left out")
    func outOfOrder() throws {
        let files = try files([1, 2, 3, 4])
        let ledger = ledger([(1, .up), (3, .up)])
        let error = fault { () throws(PersistenceError) in
            try plan(.up(limit: nil), files, at: SchemaVersion(3), ledger: ledger)
        }
        #expect(error?.summary.contains("version 2 (m) is older than the schema and was never applied") == true)
        let applied = try plan(
            .up(limit: nil), files, at: SchemaVersion(3), ledger: ledger, policy: MigrationPolicy(outOfOrder: .apply))
        #expect(steps(applied) == ["up 2: 3>3", "up 4: 3>4"])
        let ignored = try plan(
            .up(limit: nil), files, at: SchemaVersion(3), ledger: ledger, policy: MigrationPolicy(outOfOrder: .ignore))
        #expect(steps(ignored) == ["up 4: 3>4"])
        // What was never applied is not taken back.
        #expect(
            steps(try plan(.down(limit: 2), files, at: SchemaVersion(3), ledger: ledger)) == [
                "down 3: 3>1", "down 1: 1>-1",
            ])
        #expect(
            fault { () throws(PersistenceError) in
                try plan(.goto(2), files, at: SchemaVersion(3), ledger: ledger)
            } != nil)
    }

    @Test("what another tool has done since the ledger's last line is no gap")
    func otherTool() throws {
        let files = try files([1, 2, 3, 4])
        #expect(steps(try plan(.up(limit: nil), files, at: SchemaVersion(3))) == ["up 4: 3>4"])
        #expect(
            steps(try plan(.up(limit: nil), files, at: SchemaVersion(3), ledger: ledger([(1, .up)]))) == ["up 4: 3>4"])
        // It went back to 1 and forth to 3: the line of 4 is out of date, and 2 and 3 are beyond the ledger's head.
        let back = ledger([(1, .up), (4, .up)])
        #expect(steps(try plan(.up(limit: nil), files, at: SchemaVersion(3), ledger: back)) == ["up 4: 3>4"])
    }

    @Test("an applied migration without a file is refused or accepted, and cannot be taken back")
    func missing() throws {
        let files = try files([1, 3])
        let ledger = ledger([(1, .up), (2, .up), (3, .up)])
        let error = fault { () throws(PersistenceError) in
            try plan(.up(limit: nil), files, at: SchemaVersion(3), ledger: ledger)
        }
        #expect(error?.summary.contains("version 2 (m) is applied, but has no file") == true)
        #expect(
            try plan(.up(limit: nil), files, at: SchemaVersion(3), ledger: ledger, policy: .init(missing: .accept))
                .steps.isEmpty)
        #expect(steps(try plan(.down(limit: 1), files, at: SchemaVersion(3), ledger: ledger)) == ["down 3: 3>2"])
        #expect(
            fault { () throws(PersistenceError) in
                try plan(.down(limit: 2), files, at: SchemaVersion(3), ledger: ledger)
            }?.summary.contains("no down file of version 2") == true)
    }

    @Test("a database ahead of the files is refused or accepted")
    func ahead() throws {
        let files = try files([1, 2])
        let error = fault { () throws(PersistenceError) in
            try plan(.up(limit: nil), files, at: SchemaVersion(7))
        }
        #expect(error?.summary.contains("newer than any file") == true)
        let accepted = try plan(.up(limit: nil), files, at: SchemaVersion(7), policy: .init(databaseAhead: .accept))
        #expect(accepted.steps.isEmpty)
        #expect(accepted.accepted.map(\.kind) == [.databaseAhead])
    }

    @Test("a status of a thousand disagreements makes an error of bounded size")
    func manyFindings() throws {
        let files = try files((1...1000).map { Int64($0) })
        let sums = Dictionary(uniqueKeysWithValues: (1...1000).map { (Int64($0), "other") })
        let error = fault { () throws(PersistenceError) in
            try plan(
                .up(limit: nil), files, at: SchemaVersion(1000), ledger: ledger((1...1000).map { (Int64($0), .up) }),
                checksums: sums)
        }
        #expect(error?.summary.hasSuffix("and 980 more") == true)
    }
}
