internal import BSON
internal import PersistenceCore
internal import PostgresEngine

extension Gateway {
    /// A reply, and whether it tells of errors that end a transaction.
    struct Outcome {
        var reply: WireReply
        var hasErrors = false
    }

    /// Runs a command on the database or in a transaction.
    func execute(
        _ command: Command, _ session: ClientSession, on executor: some PostgresExecutor,
        record: (key: SessionKey, number: Int64)? = nil
    ) async throws -> Outcome {
        switch command.kind {
        case .insert:
            return try await write(InsertQuery.self, command, "documents", on: executor, record)
        case .update:
            return try await write(UpdateQuery.self, command, "updates", on: executor, record)
        case .delete:
            return try await write(DeleteQuery.self, command, "deletes", on: executor, record)
        case .findAndModify:
            return try await write(FindAndModifyQuery.self, command, nil, on: executor, record)
        case .find:
            return Outcome(reply: try await open(FindQuery.self, command, session, on: executor))
        case .aggregate:
            return Outcome(reply: try await open(AggregateQuery.self, command, session, on: executor))
        case .listCollections:
            return Outcome(reply: try await open(ListCollectionsQuery.self, command, session, on: executor))
        case .listIndexes:
            return Outcome(reply: try await open(ListIndexesQuery.self, command, session, on: executor))
        case .getMore:
            return Outcome(reply: try await getMore(command, session, on: executor))
        case .killCursors:
            return Outcome(reply: try await killCursors(command, session))
        case .count:
            return Outcome(
                reply: try await reply(
                    "SELECT documentdb_api.count_query(\(command.database), \(command.bytes)::bytea)::bytea",
                    on: executor))
        case .distinct:
            return Outcome(
                reply: try await reply(
                    "SELECT document::bytea FROM documentdb_api.distinct_query(\(command.database), \(command.bytes)::bytea)",
                    on: executor))
        case .create, .drop, .dropDatabase, .renameCollection, .collMod, .createIndexes, .dropIndexes, .listDatabases,
            .collStats, .dbStats, .validate, .compact:
            return Outcome(reply: try await administer(command, session, on: executor))
        case .explain:
            return Outcome(reply: try await explain(command, on: executor))
        case .saslStart, .saslContinue, .logout, .createUser, .updateUser, .dropUser, .usersInfo, .grantRolesToUser,
            .revokeRolesFromUser:
            return Outcome(reply: try await authenticate(command, session))
        case .currentOp, .killOp, .configureFailPoint, .setParameter:
            return Outcome(reply: try await operate(command, session))
        case .commitTransaction, .abortTransaction:
            throw CommandError(125, "the command must be part of a transaction")
        default:
            return Outcome(reply: try await introduce(command, session))
        }
    }

    /// Runs a statement that returns one document.
    func reply(_ statement: PostgresStatement, on executor: some PostgresExecutor) async throws -> WireReply {
        WireReply(try await executor.one(statement, as: [UInt8].self))
    }

    private func write<Query: EngineWriteQuery>(
        _ query: Query.Type, _ command: Command, _ sequence: String?, on executor: some PostgresExecutor,
        _ record: (key: SessionKey, number: Int64)?
    ) async throws -> Outcome {
        let documents = try sequence.flatMap { (name) throws(CommandError) in try command.sequence(name) }
        if sequence == nil, !command.sequences.isEmpty {
            throw CommandError(40415, "the command takes no document sequence")
        }
        _ = try command.collection()
        let query = Query(database: command.database, body: command.bytes, sequence: documents)
        let result: WriteResult
        do {
            if let record {
                result = try await executor.run(
                    RecordedWriteQuery(write: query, session: record.key.bytes, number: record.number))
            } else {
                result = try await executor.run(query)
            }
        } catch {
            throw await describe(error, command, inTransaction: command.isInTransaction)
        }
        guard !result.isComplete else { return Outcome(reply: WireReply(result.reply)) }
        let translated = try await translate(result.reply, command, documents: documents)
        return Outcome(reply: WireReply(translated), hasErrors: true)
    }

    private func open<Query: EngineCursorQuery>(
        _ query: Query.Type, _ command: Command, _ session: ClientSession, on executor: some PostgresExecutor
    ) async throws -> WireReply {
        if !command.isInTransaction, command.body["readConcern"]?["level"]?.string == "snapshot" {
            throw CommandError(115, "read concern snapshot is supported in transactions alone")
        }
        let page = try await executor.run(Query(database: command.database, body: command.bytes))
        if let continuation = page.continuation, page.cursorID != 0 {
            let namespace = Document(unchecked: page.reply)["cursor"]?["ns"]?.string ?? command.namespace()
            cursors.keep(
                page.cursorID,
                CursorRegistry.Cursor(
                    namespace: namespace, owner: session.user?.name, continuation: continuation, lastUsed: .now))
        }
        return WireReply(page.reply)
    }

    private func getMore(
        _ command: Command, _ session: ClientSession, on executor: some PostgresExecutor
    ) async throws -> WireReply {
        guard let id = command.subject?.int.map(Int64.init) else {
            throw CommandError(14, "the field 'getMore' must be a long")
        }
        guard let collection = command.body["collection"]?.string else {
            throw CommandError(14, "the field 'collection' must be a string")
        }
        let namespace = "\(command.database).\(collection)"
        var cursor = try cursors.take(id, namespace: namespace, owner: session.user?.name)
        do {
            let page = try await executor.run(
                GetMoreQuery(database: command.database, body: command.bytes, continuation: cursor.continuation))
            if let continuation = page.continuation {
                cursor.continuation = continuation
                cursor.lastUsed = .now
                cursors.keep(id, cursor)
            } else {
                cursors.finish(id)
            }
            return WireReply(page.reply)
        } catch {
            cursors.finish(id)
            throw error
        }
    }

    private func killCursors(_ command: Command, _ session: ClientSession) async throws -> WireReply {
        guard let array = command.body["cursors"]?.array else {
            throw CommandError(14, "the field 'cursors' must be an array")
        }
        var killed = BSONArray()
        var unknown = BSONArray()
        var ids: [Int64] = []
        for value in array {
            guard let id = value.int.map(Int64.init) else { throw CommandError(14, "a cursor's id must be a long") }
            if cursors.kill(id, owner: session.user?.name) {
                killed.append(.int64(id))
                ids.append(id)
            } else {
                unknown.append(.int64(id))
            }
        }
        if !ids.isEmpty {
            // Their files would go by themselves after a while; that they are not there is no error, either.
            _ = try? await database.execute("SELECT documentdb_api_internal.delete_cursors(\(ids))")
        }
        return WireReply([
            "cursorsKilled": .array(killed), "cursorsNotFound": .array(unknown), "cursorsAlive": [],
            "cursorsUnknown": [], "ok": 1.0,
        ])
    }
}

extension Command {
    /// The command as the engine gets it: unchanged.
    var bytes: [UInt8] { body.byteArray }
}
