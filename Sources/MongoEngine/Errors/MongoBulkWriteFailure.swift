internal import BSON
public import PersistenceCore

/// What has become of a bulk write that failed in part: the `underlying` error of the `PersistenceError`, see
/// `PersistenceError.bulkWriteFailure`.
public struct MongoBulkWriteFailure: Error, Sendable {
    /// One write that failed.
    public struct WriteError: Sendable, Hashable {
        /// The write's place in the list, from 0.
        public let index: Int
        /// What happened.
        public let code: PersistenceError.Code
        /// The server's code.
        public let serverCode: Int32
        /// The index that refused the write, when one did.
        public let constraint: String?
        /// The fields of that index, separated by commas, where the server says so.
        public let fields: String?
        /// The server's message.
        ///
        /// It can quote values: show it to a developer, keep it out of logs.
        public let serverMessage: String
    }

    /// What was done all the same.
    public let result: MongoBulkResult
    /// The writes that failed.
    ///
    /// With an ordered bulk write those behind the first were not tried.
    public let errors: [WriteError]
    /// Whether what was done may be undone by the election of a new primary, because too few members acknowledged it.
    public let isUnacknowledged: Bool

    let labels: Set<String>

    init?(reply: Document) {
        labels = Set((reply["errorLabels"]?.array ?? []).compactMap(\.string))
        let errors = reply["writeErrors"]?.array ?? []
        let concern = reply["writeConcernErrors"]?.array ?? []
        guard !errors.isEmpty || !concern.isEmpty else { return nil }
        result = MongoBulkResult(reply: reply)
        isUnacknowledged = !concern.isEmpty
        self.errors = errors.map { entry in
            let message = entry["errmsg"]?.string ?? ""
            let code = Int32(clamping: entry["code"]?.int ?? 0)
            let key = DuplicateKey(message: message, error: entry.document ?? Document())
            let meaning = MongoErrorCode.meaning(of: code, message: message)
            let isDuplicate = meaning.code == .uniqueViolation
            return WriteError(
                index: entry["index"]?.int ?? 0, code: meaning.code, serverCode: code,
                constraint: isDuplicate ? key.index : nil, fields: isDuplicate ? key.fields : nil,
                serverMessage: message)
        }
    }
}

extension MongoBulkWriteFailure: CustomStringConvertible {
    /// How many writes failed, and with which codes; no values.
    public var description: String {
        let codes = Dictionary(grouping: errors, by: \.code).map { "\($1.count) × \($0)" }.sorted()
        return "\(errors.count) writes failed (\(codes.joined(separator: ", ")))"
    }
}

extension PersistenceError {
    /// Which writes of a bulk write failed and what was done all the same, when the error is that of a bulk write.
    public var bulkWriteFailure: MongoBulkWriteFailure? { underlying as? MongoBulkWriteFailure }
}
