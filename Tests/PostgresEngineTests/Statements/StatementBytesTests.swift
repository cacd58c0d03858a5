import PersistenceCore
import Testing

@testable import PostgresEngine

@Suite("Statements, byte by byte")
struct StatementBytesTests {
    @Test("texts that are canonically equivalent are different statements")
    func keys() {
        let composed = StatementKey.text("SELECT length('\u{E9}')", [])
        let decomposed = StatementKey.text("SELECT length('e\u{301}')", [])
        #expect(composed != decomposed)
        // As long as each other, too: the Angstrom sign, and an A with a ring.
        #expect(StatementKey.text("'\u{212B}'", []) != StatementKey.text("'A\u{30A}'", []))
        #expect(StatementKey.text("SELECT 1", [.int4]) == StatementKey.text("SELECT 1", [.int4]))
        #expect(StatementKey.text("SELECT 1", [.int4]) != StatementKey.text("SELECT 1", [.int8]))
        #expect(StatementKey.text("", []) == StatementKey.text("", []))
        #expect(Set([composed, decomposed, composed]).count == 2)
    }

    @Test("a NUL, at which the server would cut the statement off, is refused")
    func nul() {
        let statements: [PostgresStatement] = [
            "DELETE FROM users\0 WHERE id = 1", PostgresStatement(sql: "DELETE FROM users\0 WHERE id = 1"),
            "DELETE FROM users\0 WHERE id = \(1)", "\0",
        ]
        for statement in statements { #expect(statement.failure?.code == .invalidArgument) }
        let good: [PostgresStatement] = ["", "SELECT 1", "SELECT '\u{1}', \("a")"]
        for statement in good { #expect(statement.failure == nil) }
    }
}
