import BSON
import Persistence
import PersistenceCore

extension IntegrationResponse {
    /// The `_id` of a record: a provider's name has no slash, so no two pairs make the same.
    static func key(_ provider: IntegrationProvider, _ externalID: ExternalID) -> String {
        "\(provider.name)/\(externalID.text)"
    }

    var key: String { Self.key(provider, externalID) }
}

extension IntegrationRecord {
    /// The document of the newest shape, without version and revision of the document.
    var document: Document {
        var document: Document = [
            "_id": .string(response.key), "provider": .string(response.provider.name),
            "externalID": .string(response.externalID.text), "revision": .int64(revision),
        ]
        document.append("fetchedAt", response.fetchedAt)
        document.append("firstFetchedAt", firstFetchedAt)
        document.append("changedAt", changedAt)
        document.append("mediaType", .string(response.mediaType))
        document.append("raw", .binary(BSONBinary(bytes: response.raw)))
        document.append("payload", .document(Document(response.payload)))
        return document
    }

    /// Reads a document of the newest shape.
    init(_ fields: StoredFields) throws(PersistenceError) {
        guard let raw = try fields.value("raw").binary else { throw fields.fault("raw", "is not binary") }
        self.init(
            response: IntegrationResponse(
                provider: IntegrationProvider(stored: try fields.text("provider")),
                externalID: ExternalID(stored: try fields.text("externalID")), raw: raw.bytes,
                mediaType: try fields.text("mediaType"), payload: try fields.payload(),
                fetchedAt: try fields.date("fetchedAt")),
            revision: try fields.integer("revision"), firstFetchedAt: try fields.date("firstFetchedAt"),
            changedAt: try fields.date("changedAt"))
    }
}
