public import PersistenceCore

/// Why an activity or a job failed.
public struct ExecutionFailure: Hashable, Sendable, Codable {
    /// How many bytes a message may have.
    public static let maximumMessageSize = 65_536

    /// What kind of failure it was; reports count by it.
    public let code: Label

    /// What happened, for a person.
    public let message: String

    /// Describes a failure.
    ///
    /// - Parameters:
    ///   - code: What kind of failure it was.
    ///   - message: What happened, for a person.
    /// - Throws: `PersistenceError` with the code `tooLarge` when the message has more than ``maximumMessageSize`` bytes.
    public init(code: Label, message: String = "") throws(PersistenceError) {
        guard message.utf8.count <= Self.maximumMessageSize else {
            throw PersistenceError(
                .tooLarge, "the message of a failure takes more than \(Self.maximumMessageSize) bytes",
                operation: "ExecutionFailure")
        }
        self.init(stored: code, message: message)
    }

    /// A failure as a store returned it.
    package init(stored code: Label, message: String) {
        self.code = code
        self.message = message
    }

    /// Reads and validates a failure.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            code: container.decode(Label.self, forKey: .code),
            message: container.decodeIfPresent(String.self, forKey: .message) ?? "")
    }
}
