import PersistenceCore
import PersistenceMigrations
import Testing

@Suite("Taking scripts apart")
struct SQLScriptTests {
    private func statements(_ text: String) throws -> [String] {
        try SQLScript(text).statements.map(\.text)
    }

    private func fault(_ text: String) -> PersistenceError? {
        do throws(PersistenceError) {
            _ = try SQLScript(text)
            return nil
        } catch {
            return error
        }
    }

    @Test("statements end at semicolons, and empty ones are left out")
    func semicolons() throws {
        #expect(try statements("SELECT 1; SELECT 2") == ["SELECT 1", "SELECT 2"])
        #expect(try statements(";;  ;\nSELECT 1;\n;") == ["SELECT 1"])
        #expect(try statements("") == [])
        #expect(try statements(" \t\r\n\u{0C}") == [])
        #expect(try statements("-- nothing\n/* at all */;") == [])
    }

    @Test(
        "a semicolon inside quotes, comments, parentheses or a body does not end a statement",
        arguments: [
            "SELECT 'a;b'",
            "SELECT 'it''s; here'",
            "SELECT 'a\\'",
            "SELECT E'a\\';b'",
            "SELECT e'a\\\\'",
            "SELECT E'a'\n'b\\';c'",
            "SELECT E'a' -- why\n  'b\\';c'",
            "SELECT N'a;b'",
            "SELECT B'01', X'1F;'",
            "SELECT U&'d\\0061;t' UESCAPE '!'",
            "SELECT U&\"d;\"",
            "SELECT \"a;b\", \"say \"\"hi;\"\"\"",
            "SELECT $$a;b$$",
            "SELECT $a$ ; $$ ; $b$ ; $a$",
            "SELECT $été$;$été$",
            "SELECT a$b$c, d$b$ FROM t",
            "SELECT $1, $2 + 1",
            "SELECT 1 /* a ; /* b ; */ c ; */ + 2",
            "SELECT 1 -- a ; 'b\n + 2",
            "SELECT 4 -- a\r + 5",
            "CREATE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM a; DELETE FROM b)",
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END",
            "create or replace procedure p() begin atomic insert into t values (case when a then 1 end); end",
            "CREATE FUNCTION f(a int) BEGIN ATOMIC SELECT CASE WHEN a > 1 THEN 1 ELSE CASE a WHEN 0 THEN 2 END END; END",
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1 AS end; SELECT t.end FROM t; END",
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN RETURN new; END; $f$",
            "DO $do$ BEGIN EXECUTE $q$SELECT ';'$q$; END $do$",
        ])
    func inside(_ statement: String) throws {
        #expect(try statements(statement) == [statement])
        #expect(try statements("SELECT 0;\n" + statement + ";\nSELECT 9;") == ["SELECT 0", statement, "SELECT 9"])
    }

    @Test("a string's backslash escapes only in E strings, and not beyond their continuation")
    func backslashes() throws {
        #expect(
            try statements(#"SELECT 'a\'; SELECT E'b\''; SELECT 'c'"#) == [
                #"SELECT 'a\'"#, #"SELECT E'b\''"#, "SELECT 'c'",
            ])
        // On the same line the second string is one of its own, a standard one.
        #expect(try statements(#"SELECT E'a' 'b\'; SELECT 1"#) == [#"SELECT E'a' 'b\'"#, "SELECT 1"])
    }

    @Test("BEGIN ATOMIC opens a body in routines alone")
    func transactionsAreNoBodies() throws {
        #expect(try statements("BEGIN; SELECT 1; END;") == ["BEGIN", "SELECT 1", "END"])
        #expect(try statements("SELECT begin, atomic; SELECT 1") == ["SELECT begin, atomic", "SELECT 1"])
        #expect(
            try statements("CREATE TABLE begin (atomic int); SELECT 1")
                == ["CREATE TABLE begin (atomic int)", "SELECT 1"])
    }

    @Test("a word with letters beyond ASCII is no keyword")
    func wordsBeyondASCII() throws {
        // The capital of "ſ" is S, and that of "ı" is I; the server changes ASCII letters only.
        let script = try SQLScript("COPY t FROM \u{17F}tdin; \u{17F}elect 1; b\u{131}gin")
        #expect(script.statements.map(\.leadingWords.first) == ["COPY", "\u{17F}ELECT", "B\u{131}GIN"])
    }

    @Test("a statement starts at its first token and knows its leading words")
    func leadingWords() throws {
        let script = try SQLScript("-- first\n  create  Index /* x */ CONCURRENTLY i ON t (a);\ncommit")
        #expect(script.statements[0].leadingWords == ["CREATE", "INDEX", "CONCURRENTLY", "I", "ON", "T"])
        #expect(!script.statements[0].isWordsOnly)
        #expect(script.position(utf8Offset: script.statements[0].utf8Offset) == SQLPosition(line: 2, column: 3))
        #expect(script.statements[1].leadingWords == ["COMMIT"])
        #expect(script.statements[1].isWordsOnly)
        #expect(script.statements[1].text == "commit")
    }

    @Test(
        "what does not end is refused with the place where it starts",
        arguments: [
            ("SELECT 'abc", "1:8"),
            ("SELECT 1;\n  SELECT E'a\\'", "2:10"),
            ("SELECT \"abc", "1:8"),
            ("SELECT 1;\n/* a /* b */", "2:1"),
            ("SELECT $tag$ body $tag", "1:8"),
            ("SELECT 'é', $$", "1:13"),
        ])
    func unterminated(_ text: String, _ location: String) {
        let error = fault(text)
        #expect(error?.code == .invalidStatement)
        #expect(error?.location == location)
    }

    @Test(
        "what a migration cannot hold is refused",
        arguments: [
            ("SELECT 1;\n\\d users", "2:1"),
            ("COPY t FROM STDIN;\n1\t2\n\\.\n", "1:1"),
            ("SELECT 1; copy t (a, b) from stdin with (format csv)", "1:11"),
            ("COPY (SELECT 1) TO STDOUT", "1:1"),
            ("SELECT 1;\n-- a \u{0}\nSELECT 2", "2:6"),
            ("SELECT '\u{0}'", "1:9"),
        ])
    func refused(_ text: String, _ location: String) {
        let error = fault(text)
        #expect(error?.code == .invalidStatement)
        #expect(error?.location == location)
    }

    @Test("COPY with a file on the server is a statement like any other")
    func serverCopy() throws {
        #expect(try statements("COPY t FROM '/srv/a.csv'; COPY stdin TO PROGRAM 'x'").count == 2)
    }

    @Test("directives are comments that begin with persistence:")
    func directives() throws {
        let script = try SQLScript("-- persistence:no-transaction  \n--persistence:x\n-- is persistence:y\nSELECT 1")
        #expect(script.directives.map(\.name) == ["no-transaction", "x"])
        #expect(script.directives.map { script.position(utf8Offset: $0.utf8Offset).line } == [1, 2])
        #expect(try SQLScript("SELECT '\n-- persistence:no-transaction\n'").directives.isEmpty)
    }

    @Test("positions count characters, not bytes")
    func positions() throws {
        let text = "-- é\nSELECT '日本',\n  '👩‍👩‍👧' x"
        let script = try SQLScript(text)
        let statement = try #require(script.statements.first)
        #expect(script.position(ofCharacter: 1, in: statement) == SQLPosition(line: 2, column: 1))
        #expect(script.position(ofCharacter: 8, in: statement) == SQLPosition(line: 2, column: 8))
        #expect(script.position(ofCharacter: 12, in: statement) == SQLPosition(line: 2, column: 12))
        #expect(script.position(ofCharacter: 16, in: statement) == SQLPosition(line: 3, column: 3))
        // The family of three is five scalars, as PostgreSQL counts, between two quotes.
        #expect(script.position(ofCharacter: 24, in: statement) == SQLPosition(line: 3, column: 11))
        // Out of range is brought into range.
        #expect(script.position(ofCharacter: 1_000_000, in: statement) == SQLPosition(line: 3, column: 12))
        #expect(script.position(ofCharacter: -5, in: statement) == SQLPosition(line: 2, column: 1))
        #expect(SQLPosition(utf8Offset: -1, in: text) == SQLPosition(line: 1, column: 1))
    }

    @Test("any text is taken apart or refused, and what is taken apart is where it says")
    func anyText() {
        var random = SystemRandomNumberGenerator()
        let pieces: [String] = [
            "'", "\"", "$", "$a$", "--", "/*", "*/", ";", "\n", "\\", "E'", "U&'", "(", ")", "a", "1", " ", "é",
            "BEGIN ATOMIC", "END", "CASE", "CREATE FUNCTION f()", "COPY", "FROM STDIN", "-- persistence:", "\r",
        ]
        for _ in 0..<2_000 {
            let text = (0..<Int.random(in: 0...30, using: &random)).map { _ in
                pieces[Int.random(in: 0..<pieces.count, using: &random)]
            }.joined()
            do throws(PersistenceError) {
                let script = try SQLScript(text)
                var end = 0
                for statement in script.statements {
                    #expect(statement.utf8Offset >= end)
                    end = statement.utf8Offset + statement.text.utf8.count
                    let slice = Array(text.utf8)[statement.utf8Offset..<end]
                    #expect(String(decoding: slice, as: UTF8.self) == statement.text, "\(text.debugDescription)")
                }
            } catch {
                #expect(error.code == .invalidStatement && error.location != nil, "\(text.debugDescription)")
            }
        }
    }

    @Test(
        "long hostile texts take linear time", .timeLimit(.minutes(5)),
        arguments: [
            "$", "$a", "$a$b", "'a'\n", "/*", "(", "--\n", "E'a'\n--x\n", "a$", "CASE ", ";", "''''", "\"\"", "1",
        ])
    func hostile(_ piece: String) {
        let text = String(repeating: piece, count: 200_000 / piece.utf8.count)
        // Whether it is refused depends on the piece; that it ends at all is the point.
        let error = fault(text)
        #expect(error == nil || error?.code == .invalidStatement)
        let error2 = fault("CREATE FUNCTION f() BEGIN ATOMIC " + text)
        #expect(error2 == nil || error2?.code == .invalidStatement)
    }
}
