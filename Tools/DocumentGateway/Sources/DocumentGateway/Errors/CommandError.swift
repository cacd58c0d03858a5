package import BSON
internal import PersistenceCore

/// A command that failed, as the client sees it.
package struct CommandError: Error, Sendable {
    package var code: Int32
    package var message: String
    package var labels: [String] = []
    /// Fields beside the usual ones, such as `keyPattern`.
    package var details = Document()
    /// Whether the engine may have done the work all the same.
    package var isOutcomeUnknown = false
    /// The engine's index or constraint that refused the change.
    package var constraint: String?

    package init(_ code: Int32, _ message: String, labels: [String] = []) {
        self.code = code
        self.message = message
        self.labels = labels
    }

    /// The reply's document.
    package var document: Document {
        var document: Document = ["ok": 0.0, "errmsg": .string(message), "code": .int32(code)]
        document.append("codeName", .string(EngineErrorCodes.name(of: code)))
        document.append(contentsOf: details)
        if !labels.isEmpty { document.append("errorLabels", .array(BSONArray(labels.map { BSONValue.string($0) }))) }
        return document
    }

    func adding(label: String) -> CommandError {
        var copy = self
        if !copy.labels.contains(label) { copy.labels.append(label) }
        return copy
    }
}

extension CommandError {
    static let transient = "TransientTransactionError"
    static let retryableWrite = "RetryableWriteError"

    static let timeLimitPassed = CommandError(50, "operation exceeded time limit")

    static func unauthorized(_ command: String, database: String) -> CommandError {
        CommandError(13, "not authorized on \(database) to execute command \(command)")
    }

    static func noSuchTransaction(_ number: Int64) -> CommandError {
        CommandError(
            251, "Given transaction number \(number) does not match any in-progress transactions.", labels: [transient])
    }

    /// Makes the client's error of whatever a handler threw.
    ///
    /// - Parameters:
    ///   - error: What was thrown.
    ///   - inTransaction: Whether the work was part of a client's transaction.
    package init(_ error: any Error, inTransaction: Bool) {
        switch error {
        case let error as CommandError:
            self = error
        case let error as PersistenceError:
            self.init(error, inTransaction: inTransaction)
        case is CancellationError:
            self.init(11601, "operation was interrupted")
        default:
            self.init(1, "the gateway failed: \(type(of: error))")
        }
        if inTransaction, code == 112 || code == 6 || code == 251 { self = adding(label: Self.transient) }
    }

    private init(_ error: PersistenceError, inTransaction: Bool) {
        let message = error.serverMessage ?? error.summary
        switch error.code {
        case .timeout where error.timeout == .lock:
            self.init(inTransaction ? 112 : 24, message)
        case .timeout where error.timeout == .pool:
            self.init(6, "the gateway has no connection to the engine to spare")
        case .timeout where error.timeout == .connect:
            self.init(6, "the engine could not be reached in time")
        case .timeout:
            self = .timeLimitPassed
        case .cancelled:
            self.init(11601, "operation was interrupted")
        case .connection, .unavailable, .poolClosed, .poolExhausted, .tooManyConnections, .tls, .authentication,
            .commitUnknown:
            self.init(6, "the engine is not available: \(error.summary)")
            isOutcomeUnknown = error.retrySafety != .safe
        case .tooLarge:
            self.init(10334, error.summary)
        case .encoding:
            self.init(73, error.summary)
        default:
            let state = error.serverCode
            let code = state.flatMap { EngineErrorCodes.code(ofSQLState: $0, inTransaction: inTransaction) }
            self.init(code ?? 1, message)
        }
        constraint = error.constraint
    }
}
