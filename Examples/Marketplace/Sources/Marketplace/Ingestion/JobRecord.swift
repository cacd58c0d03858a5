import Foundation
import Persistence
import PersistenceCore

/// One line of the file: something that happened in a job of a workspace.
struct JobRecord {
    enum Content {
        case activity(ActivityMetadata)
        case execution(ExecutionRecord)
        case event(JobEvent)
    }

    let workspace: WorkspaceID
    let job: JobID
    let content: Content

    /// Reads a line.
    ///
    /// - Parameter json: One JSON object in UTF-8.
    /// - Throws: ``JobRecordFault``, which says what is wrong in a sentence that quotes no value.
    init(json: [UInt8]) throws(JobRecordFault) {
        do {
            let decoder = JSONDecoder()
            decoder.dateDecodingStrategy = .custom(Self.date)
            self = try decoder.decode(JobRecord.self, from: Data(json))
        } catch {
            throw JobRecordFault(error)
        }
    }

    /// A point in time by RFC 3339, with or without fractions of a second.
    private static func date(_ decoder: any Decoder) throws -> Date {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        for style in [Date.ISO8601FormatStyle(includingFractionalSeconds: true), Date.ISO8601FormatStyle()] {
            if let date = try? style.parse(text) { return date }
        }
        throw DecodingError.dataCorruptedError(in: container, debugDescription: "is no point in time")
    }
}

/// How an execution went.
struct ExecutionRecord: Decodable {
    let id: JobExecutionID
    let state: JobExecutionState
    let worker: Label?
    let context: Payload
    let failure: ExecutionFailure?

    private enum CodingKeys: String, CodingKey {
        case execution, status, worker, context, failure
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        id = try container.decode(JobExecutionID.self, forKey: .execution)
        state = try container.decode(JobExecutionState.self, forKey: .status)
        worker = try container.decodeIfPresent(Label.self, forKey: .worker)
        context = try container.decodeIfPresent(Payload.self, forKey: .context) ?? [:]
        failure = try container.decodeIfPresent(ExecutionFailure.self, forKey: .failure)
        if state == .failed, failure == nil {
            throw DecodingError.dataCorruptedError(
                forKey: .failure, in: container, debugDescription: "is missing for an execution that failed")
        }
    }
}

extension JobRecord: Decodable {
    private enum CodingKeys: String, CodingKey {
        case kind, workspace, job, event, execution, label, occurredAt, payload, activity, status
        case startedAt, finishedAt, failure
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        workspace = try container.decode(WorkspaceID.self, forKey: .workspace)
        job = try container.decode(JobID.self, forKey: .job)
        switch try container.decode(String.self, forKey: .kind) {
        case "activity":
            let metadata = ActivityMetadata(
                activity: try container.decode(ActivityID.self, forKey: .activity),
                kind: try container.decodeIfPresent(Label.self, forKey: .label),
                status: try container.decode(ActivityStatus.self, forKey: .status),
                occurredAt: try container.decode(Date.self, forKey: .occurredAt),
                startedAt: try container.decodeIfPresent(Date.self, forKey: .startedAt),
                finishedAt: try container.decodeIfPresent(Date.self, forKey: .finishedAt),
                failure: try container.decodeIfPresent(ExecutionFailure.self, forKey: .failure),
                payload: try container.decodeIfPresent(Payload.self, forKey: .payload) ?? [:])
            try metadata.check()
            content = .activity(metadata)
        case "execution":
            let execution = try ExecutionRecord(from: decoder)
            try execution.context.check()
            content = .execution(execution)
        case "event":
            let event = JobEvent(
                id: try container.decode(JobEventID.self, forKey: .event),
                execution: try container.decode(JobExecutionID.self, forKey: .execution),
                kind: try container.decode(Label.self, forKey: .label),
                occurredAt: try container.decode(Date.self, forKey: .occurredAt),
                payload: try container.decodeIfPresent(Payload.self, forKey: .payload) ?? [:])
            try event.check()
            content = .event(event)
        default:
            throw DecodingError.dataCorruptedError(
                forKey: .kind, in: container, debugDescription: "is neither activity nor execution nor event")
        }
    }
}

/// Why a line cannot be used.
struct JobRecordFault: Error, Equatable {
    let reason: String

    init(_ error: any Error) {
        reason =
            switch error {
            case let error as PersistenceError: error.summary
            case DecodingError.keyNotFound(let key, _): "the field \(key.stringValue) is missing"
            case DecodingError.valueNotFound(_, let context), DecodingError.typeMismatch(_, let context):
                "the field \(Self.path(context)) has another type"
            case DecodingError.dataCorrupted(let context):
                context.codingPath.isEmpty
                    ? "the line is not one JSON object" : "the field \(Self.path(context)) is not as it should be"
            default: "the line is not one JSON object"
            }
    }

    private static func path(_ context: DecodingError.Context) -> String {
        context.codingPath.isEmpty ? "itself" : context.codingPath.map(\.stringValue).joined(separator: ".")
    }
}
