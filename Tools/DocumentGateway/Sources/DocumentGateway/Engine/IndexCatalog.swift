internal import BSON
internal import PersistenceCore
internal import PostgresEngine

/// Asks the engine's catalog what an index is about, for messages.
struct IndexCatalog: Sendable {
    /// Finds an index by its name, or by the number in its constraint's name.
    ///
    /// - Returns: Its name and key; `nil` when there is none, or it cannot be asked for.
    func index(
        named name: String?, id: Int32?, of collection: String, in database: String, on executor: PostgresDatabase
    ) async -> (name: String, key: Document)? {
        let rows = try? await executor.first(
            """
            SELECT (i.index_spec).index_name, (i.index_spec).index_key::bytea
            FROM documentdb_api_catalog.collection_indexes i
            JOIN documentdb_api_catalog.collections c USING (collection_id)
            WHERE c.database_name = \(database)::text AND c.collection_name = \(collection)::text
                AND ((i.index_spec).index_name = \(name)::text OR i.index_id = \(id)::int4)
            """, as: (String, [UInt8]).self)
        guard let (name, key) = rows ?? nil else { return nil }
        return (name, Document(unchecked: key))
    }
}
