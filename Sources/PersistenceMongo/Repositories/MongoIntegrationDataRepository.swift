import BSON
import MongoEngine
public import Persistence
public import PersistenceCore

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// What systems outside have answered to one workspace, in the collection `{workspaceID}/integrations`.
///
/// Get it from ``MongoDocumentStore/integrationData(workspace:)``.
public struct MongoIntegrationDataRepository: IntegrationDataRepository {
    let documents: StoredDocuments

    init(_ documents: StoredDocuments) {
        self.documents = documents
    }

    /// Records an answer.
    @discardableResult
    public func upsert(_ response: IntegrationResponse) async throws(PersistenceError) -> IntegrationUpsert {
        try response.check(operation: "UpsertIntegrationData")
        return try await documents.named("UpsertIntegrationData") { () async throws(PersistenceError) in
            try await record(response)
        }
    }

    /// Records many answers.
    ///
    /// What is kept of them is read in one round trip, what is new is written in another, and what differs in a third.
    @discardableResult
    public func upsertMany(
        _ responses: [IntegrationResponse]
    ) async throws(PersistenceError) -> [IntegrationUpsert] {
        let operation = "UpsertManyIntegrationData"
        try Batch.check(count: responses.count, operation: operation)
        for response in responses { try response.check(operation: operation) }
        return try await documents.named(operation) { () async throws(PersistenceError) in
            var outcomes: [IntegrationUpsert] = []
            outcomes.reserveCapacity(responses.count)
            // In pieces, because what is kept of them is held in memory meanwhile.
            for start in stride(from: 0, to: responses.count, by: Self.piece) {
                outcomes += try await record(responses[start..<min(start + Self.piece, responses.count)])
            }
            return outcomes
        }
    }

    /// Looks an answer up.
    public func record(
        of provider: IntegrationProvider, _ externalID: ExternalID
    ) async throws(PersistenceError) -> IntegrationRecord? {
        try await documents.named("GetIntegrationData") { () async throws(PersistenceError) in
            let key = IntegrationResponse.key(provider, externalID)
            guard let document = try await documents.findOne(["_id": .string(key)]) else { return nil }
            return try IntegrationRecord(try documents.fields(document))
        }
    }

    /// Lists the answers of a system page by page, in the order of the external identifiers' bytes.
    public func records(
        of provider: IntegrationProvider, _ request: KeysetPageRequest
    ) async throws(PersistenceError) -> KeysetPage<IntegrationRecord> {
        try await documents.named("ListIntegrationData") { () async throws(PersistenceError) in
            let isBackward = request.direction == .backward
            var conditions: [BSONValue] = [.document(Self.all(of: provider))]
            if let place = try IntegrationListing.place(of: request) {
                let key = BSONValue.string(IntegrationResponse.key(provider, place))
                conditions.append(["_id": [isBackward ? "$lt" : "$gt": key]])
            }
            let found = try await documents.find(
                ["$and": .array(BSONArray(conditions))], sort: isBackward ? .descending("_id") : .ascending("_id"),
                limit: request.fetchLimit)
            var records: [IntegrationRecord] = []
            for document in found { records.append(try IntegrationRecord(try documents.fields(document))) }
            return try IntegrationListing.page(records, for: request)
        }
    }

    /// Goes through the answers of a system in bounded memory, in the order of the external identifiers' bytes.
    public func stream(of provider: IntegrationProvider) -> ResultStream<IntegrationRecord> {
        documents.stream(
            "StreamIntegrationData", sort: .ascending("_id"),
            filter: { () throws(PersistenceError) in Self.all(of: provider) },
            decode: { (fields) throws(PersistenceError) in try IntegrationRecord(fields) })
    }

    /// Counts the things that a system has answered about.
    public func count(of provider: IntegrationProvider) async throws(PersistenceError) -> Int {
        try await documents.named("CountIntegrationData") { () async throws(PersistenceError) in
            try await documents.count(["provider": .string(provider.name)])
        }
    }

    /// Removes an answer.
    @discardableResult
    public func delete(
        _ provider: IntegrationProvider, _ externalID: ExternalID
    ) async throws(PersistenceError) -> Bool {
        try await documents.named("DeleteIntegrationData") { () async throws(PersistenceError) in
            try await documents.deleteOne(.string(IntegrationResponse.key(provider, externalID)))
        }
    }

    /// Removes the answers of a system that were last asked for before a point in time.
    @discardableResult
    public func deleteAll(
        of provider: IntegrationProvider, fetchedBefore date: Date
    ) async throws(PersistenceError) -> Int {
        let bounds = TimeBounds(before: date)
        try bounds.check(operation: "DeleteOldIntegrationData")
        return try await documents.named("DeleteOldIntegrationData") { () async throws(PersistenceError) in
            try await documents.deleteMany([
                "provider": .string(provider.name),
                "fetchedAt": ["$lt": BSONValue(millisecondsOf: bounds.before ?? date)],
            ])
        }
    }

    /// Removes the answers of all systems that were last asked for before a point in time.
    func deleteAll(fetchedBefore date: Date) async throws(PersistenceError) -> Int {
        let bounds = TimeBounds(before: date)
        try bounds.check(operation: "DeleteOldIntegrationData")
        return try await documents.named("DeleteOldIntegrationData") { () async throws(PersistenceError) in
            try await documents.deleteMany(["fetchedAt": ["$lt": BSONValue(millisecondsOf: bounds.before ?? date)]])
        }
    }

    // MARK: Recording

    private func record(_ response: IntegrationResponse) async throws(PersistenceError) -> IntegrationUpsert {
        for _ in 0..<1000 {
            let document = try await documents.findOne(["_id": .string(response.key)])
            if let outcome = try await write(response, over: document) { return outcome }
            guard !Task.isCancelled else { throw PersistenceError(.cancelled) }
            await Task.yield()
        }
        throw PersistenceError(.serializationFailure, "too many others record this answer at the same time")
    }

    /// Writes an answer over what was read; `nil` when somebody has written in between.
    private func write(
        _ response: IntegrationResponse, over document: Document?
    ) async throws(PersistenceError) -> IntegrationUpsert? {
        guard let document else {
            let (outcome, record) = IntegrationRecord.merge(response, into: nil)
            return try await documents.insert(record.document) ? outcome : nil
        }
        let (outcome, record) = try merge(response, into: document)
        guard let record else { return outcome }
        return try await documents.replace(document, with: record.document) ? outcome : nil
    }

    /// What becomes of an answer, and the record that is to be written, if any.
    private func merge(
        _ response: IntegrationResponse, into document: Document
    ) throws(PersistenceError) -> (IntegrationUpsert, IntegrationRecord?) {
        let kept = try IntegrationRecord(try documents.fields(document))
        let (outcome, record) = IntegrationRecord.merge(response.asStored, into: kept)
        return (outcome, record == kept ? nil : record)
    }

    /// Records a piece of many answers: those about things that occur once together, the others one by one.
    private func record(
        _ responses: ArraySlice<IntegrationResponse>
    ) async throws(PersistenceError) -> [IntegrationUpsert] {
        let occurrences = Dictionary(grouping: responses.indices) { KeyBytes(responses[$0].key) }
        let single = occurrences.values.filter { $0.count == 1 }.map { $0[0] }.sorted()
        var outcomes: [Int: IntegrationUpsert] = try await recordTogether(single, responses)
        // Those that others have written in between, and those about one thing, in their order.
        for index in responses.indices where outcomes[index] == nil {
            outcomes[index] = try await record(responses[index])
        }
        return responses.indices.compactMap { outcomes[$0] }
    }

    private func recordTogether(
        _ indices: [Int], _ responses: ArraySlice<IntegrationResponse>
    ) async throws(PersistenceError) -> [Int: IntegrationUpsert] {
        guard !indices.isEmpty else { return [:] }
        let keys = indices.map { BSONValue.string(responses[$0].key) }
        var kept: [KeyBytes: Document] = [:]
        for document in try await documents.find(["_id": ["$in": .array(BSONArray(keys))]]) {
            if let key = document["_id"]?.string { kept[KeyBytes(key)] = document }
        }
        var outcomes: [Int: IntegrationUpsert] = [:]
        var new: [(index: Int, document: Document)] = []
        var changes: [(index: Int, document: Document, changed: Document)] = []
        for index in indices {
            guard let document = kept[KeyBytes(responses[index].key)] else {
                let (outcome, record) = IntegrationRecord.merge(responses[index], into: nil)
                outcomes[index] = outcome
                new.append((index, record.document))
                continue
            }
            let (outcome, record) = try merge(responses[index], into: document)
            outcomes[index] = outcome
            if let record { changes.append((index, document, record.document)) }
        }
        let written = try await documents.write(
            inserting: new.map(\.document), replacing: changes.map { ($0.document, $0.changed) })
        // What was written in between is left to be recorded alone.
        for place in written.present { outcomes[new[place].index] = nil }
        for place in written.stale { outcomes[changes[place].index] = nil }
        for place in written.revived {
            outcomes[changes[place].index] = try await renew(responses[changes[place].index], over: changes[place])
        }
        return outcomes
    }

    /// Makes the first answer about its thing of one that was to take the place of a document that is gone.
    private func renew(
        _ response: IntegrationResponse, over change: (index: Int, document: Document, changed: Document)
    ) async throws(PersistenceError) -> IntegrationUpsert? {
        let (outcome, record) = IntegrationRecord.merge(response, into: nil)
        let stored = documents.stamped(change.changed, revision: change.document.revision + 1)
        // Should somebody have been faster once more, the answer is recorded alone.
        return try await documents.replace(stored, with: record.document) ? outcome : nil
    }

    /// All of a system's records, as a range of keys: `/` is followed by `0`.
    private static func all(of provider: IntegrationProvider) -> Document {
        ["_id": ["$gt": .string("\(provider.name)/"), "$lt": .string("\(provider.name)0")]]
    }

    private static var piece: Int { 250 }
}

/// A key that compares by its bytes, as the server compares; Swift's strings are equal when they look the same.
private struct KeyBytes: Hashable {
    let bytes: [UInt8]

    init(_ text: String) {
        bytes = Array(text.utf8)
    }
}

extension IntegrationResponse {
    /// As it comes back: with the dates of its payload to the millisecond.
    fileprivate var asStored: IntegrationResponse {
        IntegrationResponse(
            provider: provider, externalID: externalID, raw: raw, mediaType: mediaType,
            payload: payload.inMilliseconds, fetchedAt: fetchedAt)
    }
}
