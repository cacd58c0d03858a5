import Foundation
import PersistenceCore
import PostgresEngine

// Written as the generator writes queries, so that what is measured is what a service runs.

struct Item: Sendable {
    var id: Int64
    var owner: UUID
    var name: String
    var email: String
    var score: Double
    var isActive: Bool
    var visits: Int32
    var createdAt: Date
}

struct GetItem: PostgresOptionalRowQuery {
    typealias Row = Item

    static let name = "GetItem"
    static let command = "SELECT"
    static var collection: String? { "items" }
    static let sql = """
        SELECT id, owner, name, email, score, is_active, visits, created_at FROM benchmark.items WHERE id = $1
        """

    var id: Int64

    func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
        try parameters.append(id)
    }

    static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> Item {
        Item(
            id: try row.decode(0),
            owner: try row.decode(1),
            name: try row.decode(2),
            email: try row.decode(3),
            score: try row.decode(4),
            isActive: try row.decode(5),
            visits: try row.decode(6),
            createdAt: try row.decode(7)
        )
    }
}

struct GetItems: PostgresRowsQuery {
    typealias Row = Item

    static let name = "GetItems"
    static let command = "SELECT"
    static var collection: String? { "items" }
    static let sql = """
        SELECT id, owner, name, email, score, is_active, visits, created_at FROM benchmark.items WHERE id > $1
        ORDER BY id LIMIT 1000
        """

    var after: Int64

    func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
        try parameters.append(after)
    }

    static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> Item {
        try GetItem.decode(row)
    }
}

struct LockAccount: PostgresRowQuery {
    typealias Row = Int64

    static let name = "LockAccount"
    static let command = "SELECT"
    static var collection: String? { "accounts" }
    static let sql = "SELECT balance FROM benchmark.accounts WHERE id = $1 FOR UPDATE"

    var id: Int64

    func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
        try parameters.append(id)
    }

    static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> Int64 {
        try row.decode(0)
    }
}

struct ChangeBalance: PostgresCountedCommand {
    static let name = "ChangeBalance"
    static let command = "UPDATE"
    static var collection: String? { "accounts" }
    static let sql = "UPDATE benchmark.accounts SET balance = balance + $2 WHERE id = $1"

    var id: Int64
    var amount: Int64

    func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
        try parameters.append(id)
        try parameters.append(amount)
    }
}

struct AddEntry: PostgresCommand {
    static let name = "AddEntry"
    static let command = "INSERT"
    static var collection: String? { "entries" }
    static let sql = "INSERT INTO benchmark.entries (account, amount) VALUES ($1, $2)"

    var account: Int64
    var amount: Int64

    func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
        try parameters.append(account)
        try parameters.append(amount)
    }
}
