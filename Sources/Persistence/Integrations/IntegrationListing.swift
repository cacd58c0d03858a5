package import PersistenceCore

/// The list of a system's answers, in the order of the external identifiers' bytes, as cursors know it.
package enum IntegrationListing {
    private static let name = "integration_data.external_id"

    package static func place(of request: KeysetPageRequest) throws(PersistenceError) -> ExternalID? {
        guard let text = try request.values(of: name, String.self) else { return nil }
        return try ExternalID(text)
    }

    package static func page(
        _ rows: [IntegrationRecord], for request: KeysetPageRequest
    ) throws(PersistenceError) -> KeysetPage<IntegrationRecord> {
        try KeysetPage(rows: rows, for: request, listing: name) { [$0.response.externalID.text] }
    }
}
