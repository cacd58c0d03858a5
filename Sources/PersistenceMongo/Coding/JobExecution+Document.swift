import BSON
import Persistence
import PersistenceCore

extension JobExecution {
    /// The document of the newest shape, without version and revision of the document.
    var document: Document {
        var document: Document = [
            "_id": StoredKind.execution.keyValue(id), "kind": .string(StoredKind.execution.rawValue),
            "status": .string(state.rawValue), "attempt": .int64(Int64(attempt)), "version": .int64(version),
        ]
        document.append("worker", worker?.text)
        document.append("at", createdAt)
        document.append("startedAt", startedAt)
        document.append("heartbeatAt", heartbeatAt)
        document.append("finishedAt", finishedAt)
        document.appendEnd(state.outcome == nil ? nil : finishedAt, duration)
        document.append("failure", failure)
        document.append("payload", .document(Document(context)))
        return document
    }

    /// Reads a document of the newest shape.
    init(_ fields: StoredFields) throws(PersistenceError) {
        guard let state = JobExecutionState(rawValue: try fields.text("status")) else {
            throw fields.fault("status", "is none that is known")
        }
        guard let attempt = Int(exactly: try fields.integer("attempt")) else {
            throw fields.fault("attempt", "is too large")
        }
        self.init(
            id: try fields.identifier(.execution), state: state, attempt: attempt,
            version: try fields.integer("version"), worker: try fields.optionalText("worker").map(Label.init(stored:)),
            context: try fields.payload(), createdAt: try fields.date("at"),
            startedAt: try fields.optionalDate("startedAt"), heartbeatAt: try fields.optionalDate("heartbeatAt"),
            finishedAt: try fields.optionalDate("finishedAt"), failure: try fields.failure())
    }
}

extension JobEvent {
    /// The document of the newest shape, without version and revision.
    var document: Document {
        var document: Document = [
            "_id": StoredKind.event.keyValue(id), "kind": .string(StoredKind.event.rawValue),
            "execution": .string(execution.description), "label": .string(kind.text),
        ]
        document.append("at", occurredAt)
        document.append("expiresAt", expiresAt)
        document.append("payload", .document(Document(payload)))
        return document
    }

    /// Reads a document of the newest shape.
    init(_ fields: StoredFields) throws(PersistenceError) {
        guard let execution = JobExecutionID(try fields.text("execution")) else {
            throw fields.fault("execution", "is no UUID")
        }
        self.init(
            id: try fields.identifier(.event), execution: execution, kind: Label(stored: try fields.text("label")),
            occurredAt: try fields.date("at"), expiresAt: try fields.optionalDate("expiresAt"),
            payload: try fields.payload())
    }
}
