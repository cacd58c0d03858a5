import PersistenceCore
import Testing

@testable import PostgresEngine

@Suite("An error of the server")
struct ServerErrorTests {
    private func make(
        _ sqlState: String, _ message: String, file: String? = "parse_relation.c",
        function: String? = "parserOpenTable",
        position: Int? = nil
    ) -> PostgresServerError {
        var error = PostgresServerError(sqlState: sqlState, primaryMessage: message, sourceFunction: function)
        error.sourceFile = file
        error.position = position
        return error
    }

    @Test("names constraint, column, table and type")
    func identifiers() {
        var server = make("23505", "duplicate key value violates unique constraint \"users_email_key\"")
        server.schema = "app"
        server.table = "users"
        server.constraint = "users_email_key"
        let error = server.persistenceError(operation: "CreateUser")
        #expect(error.constraint == "users_email_key")
        #expect(error.collection == "users")
        #expect(
            error.description == "uniqueViolation in CreateUser: a unique constraint refused the change "
                + "(constraint users_email_key, table app.users) [23505]")

        var missing = make("23502", "null value in column \"name\"")
        missing.table = "users"
        missing.column = "name"
        #expect(missing.persistenceError().column == "name")
        #expect(missing.persistenceError().summary == "a required column got no value (column name, table users)")

        var domain = make("23514", "value for domain email violates check constraint \"email_check\"")
        domain.dataType = "email"
        domain.constraint = "email_check"
        #expect(domain.persistenceError().summary.hasSuffix("(constraint email_check, type email)"))
    }

    @Test(
        "shows the server's message where it names objects of the statement",
        arguments: [
            ("42P01", "relation \"user\" does not exist", 15), ("42703", "column \"nam\" does not exist", 8),
            ("42883", "function lowr(text) does not exist", 8), ("42704", "type \"citex\" does not exist", 20),
            ("42501", "permission denied for table users", nil), ("42P07", "relation \"users\" already exists", nil),
            ("42804", "column \"age\" is of type integer but expression is of type text", 30),
            ("2BP01", "cannot drop table users because other objects depend on it", nil),
            ("42P18", "could not determine data type of parameter $1", nil),
        ] as [(String, String, Int?)])
    func quoted(sqlState: String, message: String, position: Int?) {
        let error = make(sqlState, message, position: position).persistenceError()
        #expect(error.summary == message)
        #expect(error.serverMessage == message)
    }

    @Test("tells several statements in one from a syntax error")
    func severalStatements() {
        let message = "cannot insert multiple commands into a prepared statement"
        let several = PostgresServerError(
            sqlState: "42601", primaryMessage: message, sourceFunction: "exec_parse_message")
        #expect(several.persistenceError().summary.contains("executeScript"))
        let wrong = PostgresServerError(sqlState: "42601", primaryMessage: message, sourceFunction: "scanner_yyerror")
        #expect(!wrong.persistenceError().summary.contains("executeScript"))
    }

    @Test("shows the server's message when DROP finds nothing")
    func drop() {
        let server = make(
            "42P01", "table \"x\" does not exist", file: "tablecmds.c", function: "DropErrorMsgNonExistent")
        #expect(server.persistenceError().summary == "table \"x\" does not exist")
    }

    @Test(
        "keeps a message that can quote values out of every description",
        arguments: [
            ("22P02", "invalid input syntax for type integer: \"hunter2\"", "numutils.c", "pg_strtoint32", 8),
            ("22001", "value too long: hunter2", "varchar.c", "varchar", nil),
            ("22007", "invalid input syntax for type date: \"hunter2\"", "datetime.c", "DateTimeParseError", nil),
            ("42601", "syntax error at or near \"'hunter2'\"", "scan.l", "scanner_yyerror", 8),
            ("42P01", "relation \"hunter2\" does not exist", "namespace.c", "RangeVarGetRelidExtended", nil),
            ("42704", "role \"hunter2\" does not exist", "acl.c", "get_role_oid", nil),
            ("P0001", "no such user: hunter2", "pl_exec.c", "exec_stmt_raise", nil),
            ("42501", "hunter2 may not do this", "pl_exec.c", "exec_stmt_raise", nil),
            ("42P01", "hunter2", "plpy_elog.c", "PLy_elog_impl", 3),
            ("42501", "hunter2", nil, nil, nil),
            ("XX000", "cache lookup failed for hunter2", "x.c", "x", nil),
            ("99999", "hunter2", "x.c", "x", 1),
            ("23505", "duplicate key: hunter2", "nbtinsert.c", "_bt_check_unique", nil),
        ] as [(String, String, String?, String?, Int?)])
    func hidden(sqlState: String, message: String, file: String?, function: String?, position: Int?) {
        let error = make(sqlState, message, file: file, function: function, position: position)
            .persistenceError(operation: "Q", sql: "SELECT 'hunter2'")
        var dumped = ""
        dump(error, to: &dumped)
        for text in [error.summary, error.description, error.debugDescription, "\(error)", dumped] {
            #expect(!text.contains("hunter2"), "\(text)")
        }
        #expect(error.serverMessage == message)
        #expect(!error.summary.isEmpty)
    }

    @Test(
        "gives the place in the statement as line and column, counted in characters",
        arguments: [
            (1, "1:1"), (8, "1:8"), (10, "2:1"), (18, "2:9"), (1000, "2:11"), (0, "position 0"), (-5, "position -5"),
        ])
    func location(position: Int, expected: String) {
        let sql = "SELECT é\nFROM usérs"
        let error = make("42P01", "relation does not exist", position: position).persistenceError(sql: sql)
        #expect(error.location == expected)
    }

    @Test("gives the position alone where the statement is not known, and nothing where there is none")
    func noStatement() {
        #expect(make("42P01", "x", position: 8).persistenceError().location == "position 8")
        #expect(make("42P01", "x").persistenceError(sql: "SELECT 1").location == nil)
    }

    @Test("knows a pooler by the source that it does not name, and nothing of what the server did")
    func poolers() {
        var error = PostgresServerError(sqlState: "58000", severity: "FATAL")
        #expect(error.isPoolers)
        #expect(error.persistenceError().retrySafety == .unknown)
        error.sourceFile = "postgres.c"
        #expect(!error.isPoolers)
        #expect(!PostgresServerError(sqlState: "58000").isPoolers)
    }

    @Test("knows what engines handle themselves")
    func flags() {
        #expect(PostgresServerError(sqlState: "57P01", severity: "FATAL").endsConnection)
        #expect(PostgresServerError(sqlState: "XX000", severity: "PANIC").endsConnection)
        #expect(!PostgresServerError(sqlState: "23505").endsConnection)
        #expect(PostgresServerError(sqlState: "26000").isUnknownStatement)
        #expect(PostgresServerError(sqlState: "42P05").isDuplicateStatement)
    }
}
