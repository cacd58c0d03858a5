internal import BSON
internal import PersistenceCore
internal import PostgresEngine

extension Gateway {
    /// Collections, databases, indexes and their statistics.
    func administer(
        _ command: Command, _ session: ClientSession, on executor: some PostgresExecutor
    ) async throws -> WireReply {
        let database = command.database
        let body = command.bytes
        switch command.kind {
        case .create:
            return try await reply(
                "SELECT documentdb_api.create_collection_view(\(database), \(body)::bytea)::bytea", on: executor)
        case .drop:
            let collection = try command.collection()
            let existed = try await executor.one(
                "SELECT documentdb_api.drop_collection(\(database), \(collection))", as: Bool.self)
            // Dropping what is not there succeeds, as servers have it since 7.0.
            guard existed else { return WireReply(["ok": 1.0]) }
            return WireReply(["nIndexesWas": .int32(1), "ns": .string(command.namespace()), "ok": 1.0])
        case .dropDatabase:
            try await executor.execute("SELECT documentdb_api.drop_database(\(database))")
            return WireReply(["dropped": .string(database), "ok": 1.0])
        case .renameCollection:
            return try await reply("SELECT documentdb_api.rename_collection(\(body)::bytea)::bytea", on: executor)
        case .collMod:
            let collection = try command.collection()
            return try await reply(
                "SELECT documentdb_api.coll_mod(\(database), \(collection), \(body)::bytea)::bytea", on: executor)
        case .createIndexes:
            return try await createIndexes(command, on: executor)
        case .dropIndexes:
            return try await dropIndexes(command, on: executor)
        case .listDatabases:
            return try await listDatabases(command, session)
        case .collStats:
            let collection = try command.collection()
            let scale = command.body["scale"]?.double ?? 1
            return try await reply(
                "SELECT documentdb_api.coll_stats(\(database), \(collection), \(scale))::bytea", on: executor)
        case .dbStats:
            let scale = command.body["scale"]?.double ?? 1
            return try await reply("SELECT documentdb_api.db_stats(\(database), \(scale), false)::bytea", on: executor)
        case .validate:
            return try await reply(
                "SELECT documentdb_api.validate(\(database), \(body)::bytea)::bytea", on: executor)
        default:
            return try await reply("SELECT documentdb_api.compact(\(body)::bytea)::bytea", on: executor)
        }
    }

    private func createIndexes(_ command: Command, on executor: some PostgresExecutor) async throws -> WireReply {
        let bytes: [UInt8]
        do {
            bytes = try await executor.one(
                """
                SELECT documentdb_api_internal.create_indexes_non_concurrently(
                    \(command.database), \(command.bytes)::bytea, true)::bytea
                """, as: [UInt8].self)
        } catch {
            var failure = CommandError(error, inTransaction: command.isInTransaction)
            if failure.code == 11000 {
                let only = command.body["indexes"]?.array?.element(at: 0)?["name"]?.string ?? ""
                failure.message =
                    "E11000 duplicate key error collection: \(command.namespace()) index: \(only)"
            }
            throw failure
        }
        // The engine answers per shard, of which there is one.
        let document = Document(unchecked: bytes)
        guard var inner = document["raw"]?["defaultShard"]?.document else { return WireReply(bytes) }
        if let code = inner["code"]?.int {
            let state = Int32(truncatingIfNeeded: code)
            throw CommandError(
                EngineErrorCodes.code(inReply: state, inTransaction: command.isInTransaction),
                inner["errmsg"]?.string ?? "the indexes were not created")
        }
        inner["ok"] = 1.0
        return WireReply(inner)
    }

    private func dropIndexes(_ command: Command, on executor: some PostgresExecutor) async throws -> WireReply {
        let text = try await executor.one(
            "CALL documentdb_api.drop_indexes(\(command.database), \(command.bytes)::bytea, NULL)",
            as: EngineText.self)
        guard let bytes = text.bsonBytes else { throw CommandError(1, "the engine's answer cannot be read") }
        let document = Document(unchecked: bytes)
        guard document["ok"]?.bool ?? true else {
            let packed = Int32(truncatingIfNeeded: document["code"]?.int ?? 1)
            throw CommandError(
                EngineErrorCodes.code(inReply: packed, inTransaction: command.isInTransaction),
                document["errmsg"]?.string ?? "the indexes were not dropped")
        }
        var result = document
        result["ok"] = 1.0
        return WireReply(result)
    }

    private func listDatabases(_ command: Command, _ session: ClientSession) async throws -> WireReply {
        let bytes = try await database.one(
            "SELECT documentdb_api.list_databases(\(command.bytes)::bytea)::bytea", as: [UInt8].self)
        guard let user = session.user else { return WireReply(bytes) }
        var document = Document(unchecked: bytes)
        var visible = BSONArray()
        for entry in document["databases"]?.array ?? BSONArray() {
            guard let name = entry["name"]?.string else { continue }
            if user.may(.read(database: name)) || user.may(.administer(database: name)) { visible.append(entry) }
        }
        document["databases"] = .array(visible)
        return WireReply(document)
    }
}

/// A value of any type, in the text that the server has for it.
struct EngineText: PostgresDecodable {
    let bytes: [UInt8]

    static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> EngineText {
        EngineText(bytes: value.withUnsafeBytes { [UInt8]($0) })
    }

    /// The document: the type's text is `BSONHEX` and hexadecimal digits, its binary form the document itself.
    var bsonBytes: [UInt8]? {
        let prefix = Array("BSONHEX".utf8)
        guard bytes.starts(with: prefix) else { return bytes.count >= 5 ? bytes : nil }
        var result: [UInt8] = []
        var high: UInt8?
        for byte in bytes.dropFirst(prefix.count) {
            guard let digit = Character(UnicodeScalar(byte)).hexDigitValue else { return nil }
            if let first = high {
                result.append(first << 4 | UInt8(digit))
                high = nil
            } else {
                high = UInt8(digit)
            }
        }
        return high == nil ? result : nil
    }
}
