internal import BSON
internal import CMongoC
public import PersistenceCore

extension MongoCollection {
    /// Does many writes in as few round trips as the server allows.
    ///
    /// - Parameters:
    ///   - writes: The writes; none is no operation.
    ///   - isOrdered: Whether they are done one after the other, and the first failure ends it. Otherwise all are tried.
    /// - Returns: What they did.
    /// - Throws: ``PersistenceError`` with the code of the first write that failed;
    ///   `PersistenceError.bulkWriteFailure` says which failed and what was done.
    @discardableResult
    public func bulkWrite(
        _ writes: some Collection<MongoWrite<Element>>, isOrdered: Bool = true
    ) async throws(PersistenceError) -> MongoBulkResult {
        var encoded: [EncodedWrite] = []
        encoded.reserveCapacity(writes.count)
        let encode = DocumentCoding.encoding(Element.self, operation: "bulkWrite")
        for write in writes { encoded.append(try write.encoded(by: encode)) }
        return try await bulk(
            encoded, operation: operation("bulkWrite", isWrite: true, batchSize: encoded.count), isOrdered: isOrdered)
    }

    func bulk(
        _ writes: [EncodedWrite], operation: MongoOperation, isOrdered: Bool
    ) async throws(PersistenceError) -> MongoBulkResult {
        guard !writes.isEmpty else { return MongoBulkResult() }
        let name = name
        let outcome = try await core.run(operation, session: session) { call in
            call.withCollection(name) { collection in call.bulk(writes, on: collection, isOrdered: isOrdered) }
        }
        switch outcome {
        case .done(let result): return result
        case .failed(let failure, let details):
            session?.note(failure)
            throw failure.persistenceError(of: operation).with { $0.underlying = details }
        }
    }
}

/// What has become of a bulk write.
private enum BulkOutcome: Sendable {
    case done(MongoBulkResult)
    /// The server refused some of it.
    case failed(MongoFailure, MongoBulkWriteFailure)
}

extension MongoCall {
    fileprivate func bulk(
        _ writes: [EncodedWrite], on collection: OpaquePointer, isOrdered: Bool
    ) -> Result<BulkOutcome, MongoFailure> {
        if let documents = writes.asInserts { return insert(documents, into: collection, isOrdered: isOrdered) }
        let options: Document = ["ordered": .bool(isOrdered)]
        let bulk = withOptions(options, limitsTime: false) {
            mongoc_collection_create_bulk_operation_with_opts(collection, $0)
        }
        guard let bulk else { return .failure(.poolClosed) }
        defer { mongoc_bulk_operation_destroy(bulk) }
        var error = bson_error_t()
        let unchecked: Document = ["validate": false]
        let isComplete = unchecked.withBSON { unchecked in
            for write in writes where !append(write, to: bulk, unchecked: unchecked, &error) { return false }
            return true
        }
        guard isComplete else { return .failure(MongoFailure(error)) }
        let (server, reply) = BSONSlot.reply { mongoc_bulk_operation_execute(bulk, $0, &error) }
        return outcome(isDone: server != 0, error, reply)
    }

    private func outcome(
        isDone: Bool, _ error: bson_error_t, _ reply: Document
    ) -> Result<BulkOutcome, MongoFailure> {
        if isDone { return .success(.done(MongoBulkResult(reply: reply))) }
        let failure = MongoFailure(error, reply: reply)
        if let details = MongoBulkWriteFailure(reply: reply) { return .success(.failed(failure, details)) }
        return .failure(failure)
    }

    /// Inserts in one call, so that the driver reads the options once and not for each document.
    private func insert(
        _ documents: [Document], into collection: OpaquePointer, isOrdered: Bool
    ) -> Result<BulkOutcome, MongoFailure> {
        let options: Document = ["ordered": .bool(isOrdered), "validate": false]
        return withOptions(options, limitsTime: false) { options in
            BSONSlot.withAll(documents) { documents in
                let answer = DriverAnswer {
                    mongoc_collection_insert_many(
                        collection, documents.baseAddress, documents.count, options, $0, $1)
                }
                return outcome(isDone: answer.isDone, answer.error, answer.reply)
            }
        }
    }

    private func append(
        _ write: EncodedWrite, to bulk: OpaquePointer, unchecked: OpaquePointer, _ error: inout bson_error_t
    ) -> Bool {
        switch write {
        case .insert(let document):
            document.withBSON { mongoc_bulk_operation_insert_with_opts(bulk, $0, unchecked, &error) }
        case .update(let filter, let update, let options, let isMulti):
            filter.withBSON { filter in
                update.withBSON { update in
                    options.withBSON { options in
                        isMulti
                            ? mongoc_bulk_operation_update_many_with_opts(bulk, filter, update, options, &error)
                            : mongoc_bulk_operation_update_one_with_opts(bulk, filter, update, options, &error)
                    }
                }
            }
        case .replace(let filter, let document, let options):
            filter.withBSON { filter in
                document.withBSON { document in
                    options.withBSON {
                        mongoc_bulk_operation_replace_one_with_opts(bulk, filter, document, $0, &error)
                    }
                }
            }
        case .delete(let filter, let options, let isMulti):
            filter.withBSON { filter in
                options.withBSON { options in
                    isMulti
                        ? mongoc_bulk_operation_remove_many_with_opts(bulk, filter, options, &error)
                        : mongoc_bulk_operation_remove_one_with_opts(bulk, filter, options, &error)
                }
            }
        }
    }
}

extension [EncodedWrite] {
    /// The documents, when there are inserts alone.
    fileprivate var asInserts: [Document]? {
        var documents: [Document] = []
        for write in self {
            guard case .insert(let document) = write else { return nil }
            if documents.isEmpty { documents.reserveCapacity(count) }
            documents.append(document)
        }
        return documents
    }
}
