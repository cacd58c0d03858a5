import Persistence
import PersistenceCore
import PostgresEngine

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

// The queries of Queries/audit_log.sql.
extension Queries {
    struct AppendAuditEntry: PostgresRowQuery {
        static let name = "AppendAuditEntry"
        static let command = "INSERT"
        static let collection: String? = "audit_log"
        static let sql = """
            INSERT INTO audit_log (id, actor_id, action, entity_kind, entity_id, changes)
            VALUES ($1, $2, $3, $4, $5, $6)
            RETURNING id, occurred_at, actor_id, action, entity_kind, entity_id, changes
            """

        var id: UUID
        var actorID: UUID?
        var action: String
        var entityKind: String
        var entityID: UUID
        var changes: PostgresJSON<[String: AuditChange]>

        func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
            try parameters.append(id)
            try parameters.append(actorID)
            try parameters.append(action)
            try parameters.append(entityKind)
            try parameters.append(entityID)
            try parameters.append(changes)
        }

        static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> AuditEntryRow {
            try AuditEntryRow(row)
        }
    }

    struct ListAuditEntries: PostgresRowsQuery {
        static let name = "ListAuditEntries"
        static let command = "SELECT"
        static let collection: String? = "audit_log"
        static let sql = """
            SELECT id, occurred_at, actor_id, action, entity_kind, entity_id, changes
            FROM audit_log
            WHERE entity_kind = $1 AND entity_id = $2 AND id < $3
            ORDER BY id DESC
            LIMIT $4
            """

        var entityKind: String
        var entityID: UUID
        var id: UUID
        var limit: Int64

        func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
            try parameters.append(entityKind)
            try parameters.append(entityID)
            try parameters.append(id)
            try parameters.append(limit)
        }

        static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> AuditEntryRow {
            try AuditEntryRow(row)
        }
    }

    struct ListAuditEntriesBackward: PostgresRowsQuery {
        static let name = "ListAuditEntriesBackward"
        static let command = "SELECT"
        static let collection: String? = "audit_log"
        static let sql = """
            SELECT id, occurred_at, actor_id, action, entity_kind, entity_id, changes
            FROM audit_log
            WHERE entity_kind = $1 AND entity_id = $2 AND id > $3
            ORDER BY id
            LIMIT $4
            """

        var entityKind: String
        var entityID: UUID
        var id: UUID
        var limit: Int64

        func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
            try parameters.append(entityKind)
            try parameters.append(entityID)
            try parameters.append(id)
            try parameters.append(limit)
        }

        static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> AuditEntryRow {
            try AuditEntryRow(row)
        }
    }
}
