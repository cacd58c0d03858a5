import BSON
import Persistence
import PersistenceCore

extension ActivityMetadata {
    /// The document of the newest shape, without version and revision.
    var document: Document {
        var document: Document = [
            "_id": StoredKind.activity.keyValue(activity), "kind": .string(StoredKind.activity.rawValue),
        ]
        document.append("label", kind?.text)
        document.append("status", .string(status.rawValue))
        document.append("at", occurredAt)
        document.append("startedAt", startedAt)
        document.append("finishedAt", finishedAt)
        document.appendEnd(endedAt, duration)
        document.append("failure", failure)
        document.append("payload", .document(Document(payload)))
        return document
    }

    /// Reads a document of the newest shape.
    init(_ fields: StoredFields) throws(PersistenceError) {
        guard let status = ActivityStatus(rawValue: try fields.text("status")) else {
            throw fields.fault("status", "is none that is known")
        }
        self.init(
            activity: try fields.identifier(.activity), kind: try fields.optionalText("label").map(Label.init(stored:)),
            status: status, occurredAt: try fields.date("at"), startedAt: try fields.optionalDate("startedAt"),
            finishedAt: try fields.optionalDate("finishedAt"), failure: try fields.failure(),
            payload: try fields.payload())
    }
}
