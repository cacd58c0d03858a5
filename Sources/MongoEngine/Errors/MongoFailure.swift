internal import BSON
internal import CMongoC
internal import PersistenceCore

/// What the driver or the server said about a failure.
struct MongoFailure: Error, Sendable {
    /// The part of the driver that reported it (`mongoc_error_domain_t`).
    var domain: UInt32
    /// The server's code, or one of the driver's own, depending on ``domain``.
    var code: Int32
    /// The text; it can quote values.
    var message: String
    /// The server's reply, when there is one.
    var reply: Document

    init(domain: UInt32, code: Int32, message: String, reply: Document = Document()) {
        self.domain = domain
        self.code = code
        self.message = message
        self.reply = reply
    }

    init(_ error: bson_error_t, reply: Document = Document()) {
        self.init(domain: error.domain, code: Int32(truncatingIfNeeded: error.code), message: error.text, reply: reply)
    }

    /// The pool was freed while the operation waited for its thread.
    static var poolClosed: MongoFailure {
        MongoFailure(domain: MONGOC_ERROR_POOL.rawValue, code: 0, message: "")
    }

    /// The server's answer lacks what it should have.
    static var unexpectedReply: MongoFailure {
        MongoFailure(
            domain: MONGOC_ERROR_PROTOCOL.rawValue, code: Int32(MONGOC_ERROR_PROTOCOL_INVALID_REPLY.rawValue),
            message: "the reply has no documents")
    }

    /// What the server or the driver has marked the failure with.
    var labels: Set<String> {
        Set((reply["errorLabels"]?.array ?? []).compactMap(\.string))
    }

    /// Whether the code is the server's.
    var isServerError: Bool {
        domain == MONGOC_ERROR_SERVER.rawValue || domain == MONGOC_ERROR_WRITE_CONCERN.rawValue
    }

    /// Whether the connection was lost, so that nobody knows what has become of the command.
    var isNetworkError: Bool { domain == MONGOC_ERROR_STREAM.rawValue }

    /// The first error of a single write, which says more than the reply's own code.
    private var writeError: Document? { reply["writeErrors"]?[0]?.document }

    /// The error to throw.
    ///
    /// - Parameters:
    ///   - operation: The operation.
    ///   - failures: How many of its commands have failed.
    func persistenceError(of operation: MongoOperation, after failures: Int = 0) -> PersistenceError {
        var error = persistenceError(
            operation: operation.name, collection: operation.collection, isWrite: operation.isWrite)
        // What is part of a transaction goes with it.
        guard operation.isWrite, !labels.contains(Self.transient) else { return error }
        if failures > (error.retrySafety == .safe && !isServerError ? 0 : 1) {
            // The first attempt may have been done and its answer lost; the error is that of the last.
            error.retrySafety = .unknown
        } else if MongoBulkResult(reply: reply).hasEffect {
            // Earlier commands of the same operation were answered.
            if error.retrySafety == .safe { error.retrySafety = isServerError ? .unsafe : .unknown }
        } else if operation.isMulti, isServerError, Self.canStrikeHalfway.contains(error.code) {
            error.retrySafety = .unknown
        }
        return error
    }

    private static let transient = "TransientTransactionError"

    /// The errors that a server can come to after it has changed some of many documents.
    private static let canStrikeHalfway: Set<PersistenceError.Code> = [
        .timeout, .cancelled, .serializationFailure, .uniqueViolation, .checkViolation, .resourceExhausted, .tooLarge,
        .server,
    ]

    /// The error to throw, from what the failure itself says.
    private func persistenceError(operation: String, collection: String?, isWrite: Bool) -> PersistenceError {
        guard isServerError else { return driverError(operation: operation, collection: collection, isWrite: isWrite) }
        let meaning = MongoErrorCode.meaning(of: code, message: message)
        let labels = labels
        var error = PersistenceError(
            meaning.code, meaning.sentence, operation: operation, retrySafety: meaning.retrySafety)
        error.serverCode = String(code)
        error.serverMessage = message.isEmpty ? nil : message
        error.collection = collection
        error.timeout = meaning.timeout
        if labels.contains(Self.transient) { error.retrySafety = .safe }
        if domain == MONGOC_ERROR_WRITE_CONCERN.rawValue { error.retrySafety = .unknown }
        if meaning.code == .uniqueViolation {
            let key = DuplicateKey(message: message, error: writeError ?? reply)
            error.constraint = key.index
            error.column = key.fields
            if let index = key.index { error.summary = "a unique index refused the change (index \(index))" }
        }
        error.underlying = MongoServerError(code: code, name: reply["codeName"]?.string, labels: labels)
        return error
    }

    private func driverError(operation: String, collection: String?, isWrite: Bool) -> PersistenceError {
        let (code, summary, safety) = driverMeaning(isWrite: isWrite)
        return PersistenceError(code, summary, operation: operation, retrySafety: safety).with {
            $0.collection = collection
            $0.serverMessage = message.isEmpty ? nil : message
            let labels = labels
            if labels.contains(Self.transient) { $0.retrySafety = .safe }
            if !labels.isEmpty { $0.underlying = MongoServerError(code: self.code, name: nil, labels: labels) }
        }
    }

    private func driverMeaning(
        isWrite: Bool
    ) -> (PersistenceError.Code, String?, PersistenceError.RetrySafety) {
        let lost: PersistenceError.RetrySafety = isWrite ? .unknown : .safe
        switch domain {
        case MONGOC_ERROR_STREAM.rawValue:
            return (.connection, "the connection to the server was lost", lost)
        case MONGOC_ERROR_SERVER_SELECTION.rawValue:
            if message.contains("TLS") { return (.tls, nil, .safe) }
            if message.contains("Authentication failed") || message.contains("authentication") {
                return (.authentication, nil, .unsafe)
            }
            return (.connection, "no server of the deployment could be used in time", .safe)
        case MONGOC_ERROR_CLIENT.rawValue where code == MONGOC_ERROR_CLIENT_AUTHENTICATE.rawValue,
            MONGOC_ERROR_SASL.rawValue, MONGOC_ERROR_SCRAM.rawValue:
            return (.authentication, nil, .unsafe)
        case MONGOC_ERROR_POOL.rawValue:
            return (.poolClosed, nil, .safe)
        case MONGOC_ERROR_PROTOCOL.rawValue where code == MONGOC_ERROR_PROTOCOL_BAD_WIRE_VERSION.rawValue:
            return (.unsupported, "the server's version is not supported", .unsafe)
        case MONGOC_ERROR_PROTOCOL.rawValue:
            return (.connection, "the server's answer could not be understood", lost)
        case MONGOC_ERROR_BSON.rawValue where message.contains("too large"):
            return (.tooLarge, nil, .unsafe)
        case MONGOC_ERROR_TRANSACTION.rawValue:
            return (.invalidArgument, "the session's transaction is not in a state that allows this", .unsafe)
        case MONGOC_ERROR_BSON.rawValue, MONGOC_ERROR_COMMAND.rawValue, MONGOC_ERROR_CURSOR.rawValue,
            MONGOC_ERROR_COLLECTION.rawValue, MONGOC_ERROR_NAMESPACE.rawValue, MONGOC_ERROR_CLIENT.rawValue:
            return (.invalidArgument, "the driver refused the operation; see serverMessage", .unsafe)
        default:
            return (.server, "the operation failed; see serverMessage", isWrite ? .unknown : .unsafe)
        }
    }
}

/// The index that refused a change, read out of the server's answer.
struct DuplicateKey {
    /// The index's name.
    var index: String?
    /// The fields of the index, separated by commas.
    var fields: String?

    init(message: String, error: Document) {
        // "E11000 duplicate key error collection: db.users index: email_1 dup key: { email: … }"
        if let start = message.firstRange(of: " index: ") {
            let rest = message[start.upperBound...]
            let end = rest.firstRange(of: " dup key")?.lowerBound ?? rest.firstIndex(of: " ") ?? rest.endIndex
            index = String(rest[..<end])
        }
        if let pattern = error["keyPattern"]?.document, !pattern.isEmpty {
            fields = pattern.keys.joined(separator: ",")
        }
    }
}
