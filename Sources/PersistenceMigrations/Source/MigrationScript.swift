public import PersistenceCore

/// A migration file taken apart: what will be sent to the server, and how.
public struct MigrationScript: Hashable, Sendable {
    /// The file.
    public let file: MigrationFile

    /// Whether the file runs in one transaction together with its version row.
    ///
    /// It does, unless a comment `-- persistence:no-transaction` stands before its first statement.
    public let runsInTransaction: Bool

    /// The statements to run, in their order.
    ///
    /// A `BEGIN` and `COMMIT` around the whole file, which files written for other tools have, are left out of a file that
    /// runs in a transaction anyway.
    public let statements: [SQLStatement]

    let script: SQLScript

    /// Takes a file apart.
    ///
    /// - Parameter file: The file.
    /// - Throws: ``PersistenceError`` with the code `migration` and a `location` of `file:line:column` for what
    ///   ``SQLScript`` refuses, for an unknown or misplaced directive, for a transaction statement in a file that runs in
    ///   a transaction, and for `DISCARD ALL` and `DEALLOCATE ALL`, which would take away the migrator's lock or statements.
    public init(_ file: MigrationFile) throws(PersistenceError) {
        let script: SQLScript
        do throws(PersistenceError) {
            script = try SQLScript(file.text)
        } catch {
            throw PersistenceError(.migration, "\(file.path):\(error.location ?? "1:1"): \(error.summary)").with {
                $0.location = "\(file.path):\(error.location ?? "1:1")"
            }
        }
        self.file = file
        self.script = script
        self.runsInTransaction = try Self.runsInTransaction(script, of: file)
        if let statement = script.statements.first(where: \.discardsSession) {
            throw Self.fault(
                "\(statement.leadingWords.joined(separator: " ")) would give up the migration lock or the migrator's own "
                    + "statements; the session is reset after each file anyway",
                file, script, statement.utf8Offset)
        }
        guard runsInTransaction else {
            self.statements = script.statements
            return
        }
        var statements = script.statements[...]
        if statements.count >= 2, statements.first?.transactionControl == .plainBegin,
            statements.last?.transactionControl == .plainCommit
        {
            statements = statements.dropFirst().dropLast()
        }
        if let statement = statements.first(where: { $0.transactionControl != .none }) {
            throw Self.fault(
                "\(statement.leadingWords.prefix(2).joined(separator: " ")) is not allowed here, because the file runs in a "
                    + "transaction together with its version row; remove it, or put \"-- persistence:no-transaction\" "
                    + "before the first statement",
                file, script, statement.utf8Offset)
        }
        self.statements = Array(statements)
    }

    private static func runsInTransaction(
        _ script: SQLScript, of file: MigrationFile
    ) throws(PersistenceError) -> Bool {
        for directive in script.directives {
            guard directive.name == "no-transaction" else {
                throw fault(
                    "unknown directive \"persistence:\(directive.name)\"; only "
                        + "\"persistence:no-transaction\" is known", file, script, directive.utf8Offset)
            }
            if let first = script.statements.first, first.utf8Offset < directive.utf8Offset {
                throw fault(
                    "\"-- persistence:no-transaction\" must stand before the first statement", file, script,
                    directive.utf8Offset)
            }
        }
        return script.directives.isEmpty
    }

    private static func fault(
        _ summary: String, _ file: MigrationFile, _ script: SQLScript, _ offset: Int
    ) -> PersistenceError {
        let location = "\(file.path):\(script.position(utf8Offset: offset))"
        return PersistenceError(.migration, "\(location): \(summary)").with { $0.location = location }
    }

    /// Where a statement starts: `file:line:column`.
    ///
    /// - Parameter statement: One of ``statements``.
    /// - Returns: The place.
    public func location(of statement: SQLStatement) -> String {
        "\(file.path):\(script.position(utf8Offset: statement.utf8Offset))"
    }

    /// Where a character of a statement is: `file:line:column`.
    func location(ofCharacter character: Int, in statement: SQLStatement) -> String {
        "\(file.path):\(script.position(ofCharacter: character, in: statement))"
    }
}
