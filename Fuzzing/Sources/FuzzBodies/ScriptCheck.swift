import PersistenceCore

@testable import PersistenceMigrations
@testable import PostgresEngine

/// SQL scripts: a statement is what stands in the script, alone it is the same statement, and nothing is left out but
/// comments, white space and semicolons.
enum ScriptCheck {
    static func run(_ input: UnsafeRawBufferPointer) throws {
        let text = input.text
        _ = StatementText.touchesSession(text)
        _ = StatementText.refusalOnSharedConnection(text)
        _ = StatementText.refusalOfTransactionControl(text)
        let script: SQLScript
        do {
            script = try SQLScript(text)
        } catch {
            try require(error.code == .invalidStatement, "a script throws \(error.code)")
            try require(error.location != nil, "an error of a script has no place")
            return
        }
        let bytes = Array(text.utf8)
        var end = 0
        for statement in script.statements {
            let utf8 = Array(statement.text.utf8)
            let start = statement.utf8Offset
            try require(start >= end && start + utf8.count <= bytes.count, "a statement is out of place")
            try require(bytes[start..<start + utf8.count].elementsEqual(utf8), "a statement is not what stands there")
            try requireGap(bytes[end..<start])
            end = start + utf8.count
            try check(statement)
        }
        try requireGap(bytes[end...])

        let joined = try SQLScript(script.statements.map(\.text).joined(separator: ";\n"))
        try require(joined.statements.map(\.text) == script.statements.map(\.text), "joined statements are others")
    }

    private static func requireGap(_ bytes: ArraySlice<UInt8>) throws {
        let gap = try SQLScript(String(decoding: bytes, as: UTF8.self))
        try require(gap.statements.isEmpty, "something of the script is in no statement")
    }

    private static func check(_ statement: SQLStatement) throws {
        let alone = try SQLScript(statement.text).statements
        try require(
            alone.count == 1 && alone[0].text.hasSameBytes(as: statement.text)
                && alone[0].leadingWords == statement.leadingWords,
            "a statement alone is another")
        guard let first = statement.leadingWords.first, !first.isEmpty,
            first.utf8.allSatisfy({ (0x41...0x5A).contains($0) })
        else { return }
        try require(StatementText.command(of: statement.text) == first, "the two readings of the command differ")
    }
}
