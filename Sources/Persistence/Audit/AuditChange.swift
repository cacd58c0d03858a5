/// What a field held before and after.
public struct AuditChange: Hashable, Sendable, Codable {
    /// The value before; `nil` when there was none.
    public let before: String?

    /// The value after; `nil` when there is none any more.
    public let after: String?

    /// Describes a change.
    ///
    /// - Parameters:
    ///   - before: The value before.
    ///   - after: The value after.
    public init(before: String? = nil, after: String? = nil) {
        self.before = before
        self.after = after
    }
}
