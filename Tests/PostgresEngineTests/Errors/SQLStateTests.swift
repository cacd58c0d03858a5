import PersistenceCore
import Testing

@testable import PostgresEngine

@Suite("An SQLSTATE")
struct SQLStateTests {
    typealias Row = (
        states: [String], code: PersistenceError.Code, safety: PersistenceError.RetrySafety,
        timeout: PersistenceError.TimeoutKind?
    )

    /// Every condition of the manual's Appendix A that the library tells apart, and one or more of every class.
    static let table: [Row] = [
        (["03000"], .invalidStatement, .unsafe, nil),
        (["08000", "08001", "08003", "08004", "08006", "08099", "08P01"], .connection, .unknown, nil),
        (["08007", "40003"], .commitUnknown, .unknown, nil),
        (["0A000"], .unsupported, .unsafe, nil),
        (
            ["0B000", "24000", "25000", "25001", "25P01", "26000", "2BP01", "34000", "3B001", "3D000", "3F000"],
            .invalidStatement, .unsafe, nil
        ),
        (["0LP01", "0P000", "42501"], .permission, .unsafe, nil),
        (
            [
                "21000", "22000", "22001", "22003", "22007", "22008", "22012", "22021", "22023", "22P02", "22P03",
                "22P05",
            ],
            .invalidData, .unsafe, nil
        ),
        (["23000", "23514", "40002", "44000"], .checkViolation, .unsafe, nil),
        (["23001", "23503"], .foreignKeyViolation, .unsafe, nil),
        (["23502"], .notNullViolation, .unsafe, nil),
        (["23505"], .uniqueViolation, .unsafe, nil),
        (["23P01"], .exclusionViolation, .unsafe, nil),
        (["25006"], .readOnly, .unsafe, nil),
        (["25P02"], .transactionAborted, .unsafe, nil),
        (["25P03", "25P04", "57P05"], .timeout, .unsafe, .transaction),
        (["28000", "28P01"], .authentication, .unsafe, nil),
        (["40000", "40001", "72000"], .serializationFailure, .safe, nil),
        (["40P01"], .deadlock, .safe, nil),
        (
            ["42000", "42601", "42703", "42804", "42883", "42P01", "42P02", "42P05", "42P18", "55P04"],
            .invalidStatement, .unsafe, nil
        ),
        (["53000", "53100", "53200", "53400", "HV001"], .resourceExhausted, .unsafe, nil),
        (["53300"], .tooManyConnections, .safe, nil),
        (["54000", "54001", "54011", "54023"], .tooLarge, .unsafe, nil),
        (["55P02"], .configuration, .unsafe, nil),
        (["55P03"], .lockNotAvailable, .safe, nil),
        (["57014"], .cancelled, .unsafe, nil),
        (["57000"], .unavailable, .unsafe, nil),
        (["57P01", "57P02"], .unavailable, .unknown, nil),
        (["57P03"], .unavailable, .safe, nil),
        (["57P04"], .connection, .unsafe, nil),
        (
            [
                "55000", "55006", "58000", "58030", "58P01", "F0000", "HV000", "P0000", "P0001", "P0002", "P0003",
                "P0004",
                "XX000", "XX001", "XX002", "38000", "39000", "20000", "09000", "99999", "ZZZZZ", "", "1", "2350",
                "235055",
            ],
            .server, .unsafe, nil
        ),
    ]

    @Test("has one meaning, by its code or by its class", arguments: table.indices)
    func meaning(index: Int) {
        let row = Self.table[index]
        for state in row.states {
            let error = PostgresServerError(sqlState: state).persistenceError(operation: "GetUser")
            #expect(error.code == row.code, "\(state)")
            #expect(error.retrySafety == row.safety, "\(state)")
            #expect(error.timeout == row.timeout, "\(state)")
            #expect(error.serverCode == state)
            #expect(error.operation == "GetUser")
        }
    }

    @Test("55P03 is a timeout when lock_timeout ran out, and not when the statement refused to wait")
    func locks() {
        let waited = PostgresServerError(sqlState: "55P03", sourceFunction: "ProcessInterrupts").persistenceError()
        #expect(waited.code == .timeout)
        #expect(waited.timeout == .lock)
        #expect(waited.retrySafety == .safe)
        let refused = PostgresServerError(sqlState: "55P03", sourceFunction: "heap_lock_tuple").persistenceError()
        #expect(refused.code == .lockNotAvailable)
        #expect(refused.timeout == nil)
    }

    @Test("57014 is what the client meant by it, else what the server says")
    func cancels() {
        let cancel = PostgresServerError(
            sqlState: "57014", primaryMessage: "canceling statement due to user request",
            sourceFunction: "ProcessInterrupts")
        #expect(cancel.persistenceError(interruption: .task).code == .cancelled)
        let deadline = cancel.persistenceError(interruption: .deadline)
        #expect(deadline.code == .timeout)
        #expect(deadline.timeout == .statement)
        #expect(cancel.persistenceError().summary == "the statement was cancelled on the server")
        let timeout = PostgresServerError(
            sqlState: "57014", primaryMessage: "canceling statement due to statement timeout"
        ).persistenceError()
        #expect(timeout.code == .timeout)
        #expect(timeout.timeout == .statement)
    }

    @Test("other than 57014 keeps its meaning when the client had asked for a cancel")
    func lateCancel() {
        let error = PostgresServerError(sqlState: "23505").persistenceError(interruption: .task)
        #expect(error.code == .uniqueViolation)
    }

    @Test("0A000 may be run again when a prepared statement is out of date")
    func stalePlan() {
        let stale = PostgresServerError(sqlState: "0A000", sourceFunction: "RevalidateCachedQuery")
        #expect(stale.isStalePlan)
        #expect(stale.persistenceError().code == .invalidStatement)
        #expect(stale.persistenceError().retrySafety == .safe)
        #expect(!PostgresServerError(sqlState: "0A000", sourceFunction: "transformStmt").isStalePlan)
    }
}
