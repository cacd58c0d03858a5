/// What a MongoDB server says about a failure beyond its code, as the `underlying` error of a `PersistenceError`.
public struct MongoServerError: Error, Sendable, Hashable {
    /// The server's code, such as 11000.
    public let code: Int32
    /// The code's name, such as `DuplicateKey`, where the server gave one.
    public let name: String?
    /// What the server or the driver has marked the failure with, such as `TransientTransactionError`.
    public let labels: Set<String>
}

extension MongoServerError: CustomStringConvertible {
    /// Code, name and labels.
    public var description: String {
        var text = name.map { "\($0) (\(code))" } ?? "\(code)"
        if !labels.isEmpty { text += " \(labels.sorted().joined(separator: ", "))" }
        return text
    }
}
