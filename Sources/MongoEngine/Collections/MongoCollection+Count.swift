public import BSON
internal import CMongoC
public import PersistenceCore

extension MongoCollection {
    /// How many documents a filter matches.
    ///
    /// The server looks at all of them, or at all their entries in an index.
    ///
    /// - Parameters:
    ///   - filter: Which documents.
    ///   - limit: From how many on counting ends.
    ///   - hint: The index to use, where the server must not choose.
    ///   - collation: How texts are compared.
    /// - Returns: How many.
    /// - Throws: ``PersistenceError``.
    public func count(
        _ filter: MongoFilter = .all, atMost limit: Int? = nil, hint: MongoIndexHint? = nil,
        collation: MongoCollation? = nil
    ) async throws(PersistenceError) -> Int {
        let filter = try filter.checked()
        guard limit.map({ $0 >= 0 }) ?? true else {
            throw PersistenceError(.invalidArgument, "limit is negative", operation: "count")
        }
        if limit == 0 { return 0 }
        var options = Document()
        if let limit { options.append("limit", .int64(Int64(limit))) }
        if let hint { options.append("hint", hint.value) }
        if let collation { options.append("collation", .document(collation.document)) }
        try options.requireWellFormed()
        let name = name
        return try await core.run(operation("count"), session: session) { [options] call in
            call.withCollection(name) { collection in
                call.withOptions(options) { options in
                    filter.withBSON { filter in
                        Self.number { mongoc_collection_count_documents(collection, filter, options, nil, $0, $1) }
                    }
                }
            }
        }
    }

    /// How many documents there are, as the server remembers it: fast, and wrong after a crash or on a sharded cluster.
    ///
    /// - Returns: How many.
    /// - Throws: ``PersistenceError``: `invalidArgument` in a transaction, where the server has no such number.
    public func estimatedCount() async throws(PersistenceError) -> Int {
        let name = name
        return try await core.run(operation("count"), session: session) { call in
            call.withCollection(name) { collection in
                call.withOptions(Document()) { options in
                    Self.number {
                        mongoc_collection_estimated_document_count(collection, options, nil, $0, $1)
                    }
                }
            }
        }
    }

    /// The different values of a field.
    ///
    /// - Parameters:
    ///   - path: The field. The elements of an array count one by one.
    ///   - filter: Of which documents.
    ///   - type: The type of the values.
    ///   - collation: How texts are compared.
    /// - Returns: The values, in no order; all of them must fit into one document of 16 MiB.
    /// - Throws: ``PersistenceError``: `decoding` when a value is of another type.
    public func distinct<Value: Decodable>(
        _ path: FieldPath, _ filter: MongoFilter = .all, as type: Value.Type, collation: MongoCollation? = nil
    ) async throws(PersistenceError) -> [Value] {
        let reply = try await distinctReply(path, filter, collation)
        let box = try DocumentCoding.decode(DistinctReply<Value>.self, from: reply, operation: "distinct")
        return box.values
    }

    /// The different values of a field, whatever their types.
    ///
    /// - Parameters:
    ///   - path: The field. The elements of an array count one by one.
    ///   - filter: Of which documents.
    ///   - collation: How texts are compared.
    /// - Returns: The values, in no order.
    /// - Throws: ``PersistenceError``.
    public func distinct(
        _ path: FieldPath, _ filter: MongoFilter = .all, collation: MongoCollation? = nil
    ) async throws(PersistenceError) -> [BSONValue] {
        Array(try await distinctReply(path, filter, collation)["values"]?.array ?? [])
    }

    private func distinctReply(
        _ path: FieldPath, _ filter: MongoFilter, _ collation: MongoCollation?
    ) async throws(PersistenceError) -> Document {
        var command: Document = [
            "distinct": .string(name), "key": .string(path.text), "query": .document(try filter.checked()),
        ]
        if let collation { command.append("collation", .document(collation.document)) }
        try command.requireWellFormed()
        return try await core.run(operation("distinct"), session: session) { [command] call in
            call.command(command, .read)
        }
    }

    private static func number(
        _ body: (OpaquePointer, UnsafeMutablePointer<bson_error_t>) -> Int64
    ) -> Result<Int, MongoFailure> {
        var error = bson_error_t()
        let (count, reply) = BSONSlot.reply { body($0, &error) }
        return count < 0 ? .failure(MongoFailure(error, reply: reply)) : .success(Int(count))
    }
}

private struct DistinctReply<Value: Decodable>: Decodable {
    var values: [Value]
}
