import PersistenceCore
import PostgresEngine

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

// The queries of Queries/users.sql.
extension Queries {
    struct CreateUser: PostgresRowQuery {
        static let name = "CreateUser"
        static let command = "INSERT"
        static let collection: String? = "users"
        static let sql = """
            INSERT INTO users (id, email, name)
            VALUES ($1, $2, $3)
            RETURNING id, email, name, version, created_at, updated_at, deleted_at
            """

        var id: UUID
        var email: String
        var name: String

        func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
            try parameters.append(id)
            try parameters.append(email)
            try parameters.append(name)
        }

        static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> UserRow {
            try UserRow(row)
        }
    }

    struct CreateUsers: PostgresRowsQuery {
        static let name = "CreateUsers"
        static let command = "INSERT"
        static let collection: String? = "users"
        static let sql = """
            INSERT INTO users (id, email, name)
            SELECT input.id, input.email, input.name
            FROM unnest($1::uuid[], $2::text[], $3::text[]) WITH ORDINALITY AS input (id, email, name, position)
            ORDER BY lower(input.email COLLATE "C"), input.position
            RETURNING id, email, name, version, created_at, updated_at, deleted_at
            """

        var ids: [UUID]
        var emails: [String]
        var names: [String]

        func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
            try parameters.append(ids)
            try parameters.append(emails)
            try parameters.append(names)
        }

        static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> UserRow {
            try UserRow(row)
        }
    }

    struct CreateUsersIfAbsent: PostgresRowsQuery {
        static let name = "CreateUsersIfAbsent"
        static let command = "INSERT"
        static let collection: String? = "users"
        static let sql = """
            INSERT INTO users (id, email, name)
            SELECT input.id, input.email, input.name
            FROM unnest($1::uuid[], $2::text[], $3::text[]) WITH ORDINALITY AS input (id, email, name, position)
            ORDER BY lower(input.email COLLATE "C"), input.position
            ON CONFLICT (lower(email COLLATE "C")) WHERE deleted_at IS NULL DO NOTHING
            RETURNING id, email, name, version, created_at, updated_at, deleted_at
            """

        var ids: [UUID]
        var emails: [String]
        var names: [String]

        func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
            try parameters.append(ids)
            try parameters.append(emails)
            try parameters.append(names)
        }

        static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> UserRow {
            try UserRow(row)
        }
    }

    struct GetUser: PostgresOptionalRowQuery {
        static let name = "GetUser"
        static let command = "SELECT"
        static let collection: String? = "users"
        static let sql = """
            SELECT id, email, name, version, created_at, updated_at, deleted_at
            FROM users
            WHERE id = $1 AND deleted_at IS NULL
            """

        var id: UUID

        func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
            try parameters.append(id)
        }

        static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> UserRow {
            try UserRow(row)
        }
    }

    struct GetUserByEmail: PostgresOptionalRowQuery {
        static let name = "GetUserByEmail"
        static let command = "SELECT"
        static let collection: String? = "users"
        static let sql = """
            SELECT id, email, name, version, created_at, updated_at, deleted_at
            FROM users
            WHERE lower(email COLLATE "C") = lower($1::text COLLATE "C") AND deleted_at IS NULL
            """

        var email: String

        func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
            try parameters.append(email)
        }

        static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> UserRow {
            try UserRow(row)
        }
    }

    struct GetUsers: PostgresRowsQuery {
        static let name = "GetUsers"
        static let command = "SELECT"
        static let collection: String? = "users"
        static let sql = """
            SELECT id, email, name, version, created_at, updated_at, deleted_at
            FROM users
            WHERE id = ANY ($1::uuid[]) AND deleted_at IS NULL
            """

        var ids: [UUID]

        func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
            try parameters.append(ids)
        }

        static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> UserRow {
            try UserRow(row)
        }
    }

    struct UpdateUser: PostgresOptionalRowQuery {
        static let name = "UpdateUser"
        static let command = "UPDATE"
        static let collection: String? = "users"
        static let sql = """
            UPDATE users
            SET email = coalesce($3::text, email), name = coalesce($4::text, name), version = version + 1
            WHERE id = $1 AND version = $2 AND deleted_at IS NULL
            RETURNING id, email, name, version, created_at, updated_at, deleted_at
            """

        var id: UUID
        var version: Int64
        var email: String?
        var name: String?

        func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
            try parameters.append(id)
            try parameters.append(version)
            try parameters.append(email)
            try parameters.append(name)
        }

        static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> UserRow {
            try UserRow(row)
        }
    }

    struct SoftDeleteUser: PostgresOptionalRowQuery {
        static let name = "SoftDeleteUser"
        static let command = "UPDATE"
        static let collection: String? = "users"
        static let sql = """
            UPDATE users
            SET deleted_at = statement_timestamp(), version = version + 1
            WHERE id = $1 AND version = $2 AND deleted_at IS NULL
            RETURNING id, email, name, version, created_at, updated_at, deleted_at
            """

        var id: UUID
        var version: Int64

        func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
            try parameters.append(id)
            try parameters.append(version)
        }

        static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> UserRow {
            try UserRow(row)
        }
    }

    struct RestoreUser: PostgresOptionalRowQuery {
        static let name = "RestoreUser"
        static let command = "UPDATE"
        static let collection: String? = "users"
        static let sql = """
            UPDATE users
            SET deleted_at = NULL, version = version + 1
            WHERE id = $1 AND deleted_at IS NOT NULL
            RETURNING id, email, name, version, created_at, updated_at, deleted_at
            """

        var id: UUID

        func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
            try parameters.append(id)
        }

        static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> UserRow {
            try UserRow(row)
        }
    }

    struct ListUsers: PostgresRowsQuery {
        static let name = "ListUsers"
        static let command = "SELECT"
        static let collection: String? = "users"
        static let sql = """
            SELECT id, email, name, version, created_at, updated_at, deleted_at
            FROM users
            WHERE deleted_at IS NULL AND id < $1
            ORDER BY id DESC
            LIMIT $2
            """

        var id: UUID
        var limit: Int64

        func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
            try parameters.append(id)
            try parameters.append(limit)
        }

        static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> UserRow {
            try UserRow(row)
        }
    }

    struct ListUsersBackward: PostgresRowsQuery {
        static let name = "ListUsersBackward"
        static let command = "SELECT"
        static let collection: String? = "users"
        static let sql = """
            SELECT id, email, name, version, created_at, updated_at, deleted_at
            FROM users
            WHERE deleted_at IS NULL AND id > $1
            ORDER BY id
            LIMIT $2
            """

        var id: UUID
        var limit: Int64

        func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
            try parameters.append(id)
            try parameters.append(limit)
        }

        static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> UserRow {
            try UserRow(row)
        }
    }

    struct ListUsersByOffset: PostgresRowsQuery {
        static let name = "ListUsersByOffset"
        static let command = "SELECT"
        static let collection: String? = "users"
        static let sql = """
            SELECT id, email, name, version, created_at, updated_at, deleted_at
            FROM users
            WHERE deleted_at IS NULL
            ORDER BY id DESC
            LIMIT $1 OFFSET $2
            """

        var limit: Int64
        var offset: Int64

        func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
            try parameters.append(limit)
            try parameters.append(offset)
        }

        static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> UserRow {
            try UserRow(row)
        }
    }

    struct CountUsers: PostgresRowQuery {
        static let name = "CountUsers"
        static let command = "SELECT"
        static let collection: String? = "users"
        static let sql = """
            SELECT count(*) AS total
            FROM users
            WHERE deleted_at IS NULL
            """

        static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> Int64 {
            try row.decode(0)
        }
    }
}
