public import Persistence
public import PersistenceCore

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// What systems outside have answered to one workspace, in an ``InMemoryDatabase``.
public struct InMemoryIntegrationDataRepository: IntegrationDataRepository {
    let database: InMemoryDatabase
    let workspace: WorkspaceID

    /// Records an answer.
    @discardableResult
    public func upsert(_ response: IntegrationResponse) async throws(PersistenceError) -> IntegrationUpsert {
        try response.check(operation: "UpsertIntegrationData")
        return try database.runDocuments("UpsertIntegrationData") { documents, _ in
            documents.upsert(response, workspace)
        }
    }

    /// Records many answers.
    @discardableResult
    public func upsertMany(
        _ responses: [IntegrationResponse]
    ) async throws(PersistenceError) -> [IntegrationUpsert] {
        try Batch.check(count: responses.count, operation: "UpsertManyIntegrationData")
        for response in responses { try response.check(operation: "UpsertManyIntegrationData") }
        return try database.runDocuments("UpsertManyIntegrationData") { documents, _ in
            responses.map { documents.upsert($0, workspace) }
        }
    }

    /// Looks an answer up.
    public func record(
        of provider: IntegrationProvider, _ externalID: ExternalID
    ) async throws(PersistenceError) -> IntegrationRecord? {
        try database.runDocuments("GetIntegrationData") { documents, _ in
            documents.integrations[.init(workspace: workspace, provider: provider, externalID: externalID)]
        }
    }

    /// Lists the answers of a system page by page.
    public func records(
        of provider: IntegrationProvider, _ request: KeysetPageRequest
    ) async throws(PersistenceError) -> KeysetPage<IntegrationRecord> {
        try database.runDocuments("ListIntegrationData") { documents, _ throws(PersistenceError) in
            let place = try IntegrationListing.place(of: request)
            let goesDown = request.direction == .backward
            var rows = documents.records(of: provider, workspace)
            if let place {
                rows.removeAll {
                    goesDown ? $0.response.externalID >= place : $0.response.externalID <= place
                }
            }
            if goesDown { rows.reverse() }
            return try IntegrationListing.page(Array(rows.prefix(request.fetchLimit)), for: request)
        }
    }

    /// Goes through the answers of a system.
    public func stream(of provider: IntegrationProvider) -> ResultStream<IntegrationRecord> {
        ResultStream { () throws(PersistenceError) in
            try database.runDocuments("StreamIntegrationData") { documents, _ in
                documents.records(of: provider, workspace)
            }
        }
    }

    /// Counts the things that a system has answered about.
    public func count(of provider: IntegrationProvider) async throws(PersistenceError) -> Int {
        try database.runDocuments("CountIntegrationData") { documents, _ in
            documents.records(of: provider, workspace).count
        }
    }

    /// Removes an answer.
    @discardableResult
    public func delete(
        _ provider: IntegrationProvider, _ externalID: ExternalID
    ) async throws(PersistenceError) -> Bool {
        try database.runDocuments("DeleteIntegrationData") { documents, _ in
            let key = InMemoryDocuments.IntegrationKey(
                workspace: workspace, provider: provider, externalID: externalID)
            return documents.integrations.removeValue(forKey: key) != nil
        }
    }

    /// Removes the answers of a system that were last asked for before a point in time.
    @discardableResult
    public func deleteAll(
        of provider: IntegrationProvider, fetchedBefore date: Date
    ) async throws(PersistenceError) -> Int {
        let bounds = TimeBounds(before: date)
        try bounds.check(operation: "DeleteOldIntegrationData")
        return try database.runDocuments("DeleteOldIntegrationData") { documents, _ in
            let old = documents.integrations.filter { key, record in
                key.workspace == workspace && key.provider == provider
                    && bounds.contains(record.response.fetchedAt)
            }
            for key in old.keys { documents.integrations[key] = nil }
            return old.count
        }
    }
}

extension InMemoryDocuments {
    fileprivate mutating func upsert(
        _ response: IntegrationResponse, _ workspace: WorkspaceID
    ) -> IntegrationUpsert {
        let key = IntegrationKey(
            workspace: workspace, provider: response.provider, externalID: response.externalID)
        let stored = IntegrationResponse(
            provider: response.provider, externalID: response.externalID, raw: response.raw,
            mediaType: response.mediaType, payload: response.payload.inMilliseconds, fetchedAt: response.fetchedAt)
        let (outcome, record) = IntegrationRecord.merge(stored, into: integrations[key])
        integrations[key] = record
        return outcome
    }

    fileprivate func records(of provider: IntegrationProvider, _ workspace: WorkspaceID) -> [IntegrationRecord] {
        integrations.filter { $0.key.workspace == workspace && $0.key.provider == provider }.map(\.value)
            .sorted { $0.response.externalID < $1.response.externalID }
    }
}
