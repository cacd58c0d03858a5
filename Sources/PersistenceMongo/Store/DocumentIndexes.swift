import BSON

/// The indexes of a collection, which are made before its first document.
enum DocumentIndexes: Sendable {
    case job
    case integrations

    /// As the command `createIndexes` takes them.
    var specifications: [Document] {
        switch self {
        case .job:
            [
                // Lists of a kind by time, both ways.
                Self.index("kind_at", ["kind": 1, "at": 1, "_id": 1]),
                // Lists and queues by status.
                Self.index("kind_status_at", ["kind": 1, "status": 1, "at": 1, "_id": 1]),
                // Reports and retention.
                Self.index("kind_endedAt", ["kind": 1, "endedAt": 1]),
                // Logs.
                Self.index("execution_at", ["execution": 1, "at": 1, "_id": 1]),
                // Removes each document at the time that it names; those without one stay.
                Self.index("expiresAt", ["expiresAt": 1], ["expireAfterSeconds": 0]),
            ]
        case .integrations:
            [Self.index("provider_fetchedAt", ["provider": 1, "fetchedAt": 1])]
        }
    }

    private static func index(
        _ name: String, _ keys: KeyValuePairs<String, Int32>, _ options: Document = [:]
    ) -> Document {
        var index: Document = [
            "key": .document(Document(keys.map { ($0.key, BSONValue.int32($0.value)) })), "name": .string(name),
        ]
        index.append(contentsOf: options)
        return index
    }
}
