/// What golang-migrate's table says: the version that the schema has, and whether a migration to it was cut short.
public struct SchemaVersion: Hashable, Sendable, CustomStringConvertible {
    /// The version; `nil` when no migration is applied, which commands write as -1.
    public var version: Int64?

    /// Whether a migration that ran outside a transaction failed on its way to this version.
    public var isDirty: Bool

    /// Creates a version.
    ///
    /// - Parameters:
    ///   - version: The version, or `nil` for none.
    ///   - isDirty: Whether a migration to it was cut short.
    public init(_ version: Int64?, isDirty: Bool = false) {
        self.version = version
        self.isDirty = isDirty
    }

    /// No migration is applied.
    public static var none: SchemaVersion { SchemaVersion(nil) }

    /// The version, or -1, followed by `(dirty)` if it is.
    public var description: String { "\(version ?? -1)\(isDirty ? " (dirty)" : "")" }

    func includes(_ other: Int64) -> Bool {
        version.map { other <= $0 } ?? false
    }
}
