internal import BSON
internal import CMongoC
internal import PersistenceCore

/// Owns a change stream of the driver, and the client that it was opened on.
///
/// The driver's stream is used by the lane's jobs alone, one after the other.
final class ChangeStreamHandle: Sendable {
    let pointer: CPointer
    let lane: ClientLane

    /// Takes over a `mongoc_change_stream_t` and its lane.
    init(stealing pointer: OpaquePointer, lane: ClientLane) {
        self.pointer = CPointer(pointer)
        self.lane = lane
    }

    deinit {
        lane.submit { [pointer] _ in mongoc_change_stream_destroy(pointer.raw) }
        lane.end()
    }
}

/// One run of a change stream.
///
/// Used by one iterator, hence by one task at a time.
final class ChangeStreamRun<Element: Codable & Sendable> {
    private enum Phase {
        case unopened
        case open(ChangeStreamHandle)
        case ended
    }

    private let collection: MongoCollection<Element>
    private let options: MongoChangeStreamOptions
    private var phase = Phase.unopened

    init(collection: MongoCollection<Element>, options: MongoChangeStreamOptions) {
        self.collection = collection
        self.options = options
    }

    func next() async throws(PersistenceError) -> MongoChange<Element>? {
        do throws(PersistenceError) {
            while true {
                let handle: ChangeStreamHandle
                switch phase {
                case .ended: return nil
                case .open(let open): handle = open
                case .unopened:
                    handle = try await open()
                    phase = .open(handle)
                }
                guard let event = try await event(of: handle) else { continue }
                let change = try decode(event)
                if change.kind == .invalidate { phase = .ended }
                return change
            }
        } catch {
            phase = .ended
            throw error
        }
    }

    private func open() async throws(PersistenceError) -> ChangeStreamHandle {
        guard collection.session == nil else {
            throw PersistenceError(.invalidArgument, "a change stream cannot be part of a session", operation: "watch")
        }
        let name = collection.name
        let stages: Document = ["pipeline": options.pipeline.value]
        let choices = options.document
        try stages.requireWellFormed()
        try choices.requireWellFormed()
        return try await collection.core.run(collection.operation("watch")) { call in
            let stream = call.withCollection(name) { collection in
                stages.withBSON { stages in
                    choices.withBSON { mongoc_collection_watch(collection, stages, $0) }
                }
            }
            guard let stream else { return .failure(.poolClosed) }
            var error = bson_error_t()
            var reply: OpaquePointer?
            if mongoc_change_stream_error_document(stream, &error, &reply) {
                let failure = MongoFailure(error, reply: reply.map { Document(copying: $0) } ?? Document())
                mongoc_change_stream_destroy(stream)
                return .failure(failure)
            }
            return .success(ChangeStreamHandle(stealing: stream, lane: call.keepClient()))
        }
    }

    /// The next event, or nil when the server has answered without one.
    private func event(of handle: ChangeStreamHandle) async throws(PersistenceError) -> Document? {
        try await collection.core.run(collection.operation("getMore"), lane: handle.lane) { _ in
            var event: OpaquePointer?
            if mongoc_change_stream_next(handle.pointer.raw, &event), let event {
                return .success(Document(copying: event))
            }
            var error = bson_error_t()
            var reply: OpaquePointer?
            guard mongoc_change_stream_error_document(handle.pointer.raw, &error, &reply) else { return .success(nil) }
            return .failure(MongoFailure(error, reply: reply.map { Document(copying: $0) } ?? Document()))
        }
    }

    private func decode(_ event: Document) throws(PersistenceError) -> MongoChange<Element> {
        var element: Element?
        if let document = event["fullDocument"]?.document {
            element = try DocumentCoding.decode(Element.self, from: document, operation: "watch")
        }
        return MongoChange(
            kind: MongoChange.Kind(rawValue: event["operationType"]?.string ?? "") ?? .other,
            documentKey: event["documentKey"]?.document, document: element,
            updatedFields: event["updateDescription"]?["updatedFields"]?.document,
            removedFields: (event["updateDescription"]?["removedFields"]?.array ?? []).compactMap(\.string),
            resumeToken: event["_id"]?.document?.detached() ?? Document(), event: event)
    }
}
