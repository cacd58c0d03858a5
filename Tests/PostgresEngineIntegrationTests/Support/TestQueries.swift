import PersistenceCore
import PostgresEngine

/// Adds two numbers on the server.
struct AddNumbers: PostgresRowQuery {
    static let name = "AddNumbers"
    static let command = "SELECT"
    static let sql = "SELECT $1 + $2"

    let left: Int64
    let right: Int64

    func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
        try parameters.append(left)
        try parameters.append(right)
    }

    static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> Int64 {
        try row.decode(0)
    }
}

/// Divides a number on the server, which refuses zero.
struct DivideHundred: PostgresRowQuery {
    static let name = "DivideHundred"
    static let command = "SELECT"
    static let sql = "SELECT 100 / $1"

    let by: Int64

    func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
        try parameters.append(by)
    }

    static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> Int64 {
        try row.decode(0)
    }
}

/// The numbers from one to a limit.
struct CountTo: PostgresRowsQuery {
    static let name = "CountTo"
    static let command = "SELECT"
    static let sql = "SELECT generate_series(1, $1::bigint)"

    let limit: Int64

    func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
        try parameters.append(limit)
    }

    static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> Int64 {
        try row.decode(0)
    }
}

/// The smallest number above another, up to three.
struct NextNumber: PostgresOptionalRowQuery {
    static let name = "NextNumber"
    static let command = "SELECT"
    static let sql = "SELECT n FROM generate_series(1, 3) AS n WHERE n > $1 ORDER BY n LIMIT $2"

    let after: Int64
    let limit: Int64

    func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
        try parameters.append(after)
        try parameters.append(limit)
    }

    static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> Int32 {
        try row.decode(0)
    }
}
