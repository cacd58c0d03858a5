#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// One line of the ledger, which is only ever appended to.
public struct MigrationRecord: Hashable, Sendable {
    /// What happened.
    public enum Action: String, Hashable, Sendable, CaseIterable {
        /// The library ran the migration's up file.
        case up
        /// The library ran the migration's down file.
        case down
        /// The migration was found applied, by another tool or by `force`; the checksum is that of the file at that time.
        case adopted
        /// The migration was found taken back, by another tool or by `force`.
        case reverted
        /// The migration is applied and its file is gone, which `force` has accepted.
        case forgotten
    }

    /// The migration's version.
    public var version: Int64

    /// The migration's title.
    public var title: String

    /// What happened.
    public var action: Action

    /// The SHA-256 of the up file with line feeds as line ends, in hexadecimal; `nil` when there was no such file.
    public var checksum: String?

    /// When it happened, by the server's clock.
    public var recordedAt: Date

    /// How long the file ran; `nil` when nothing ran.
    public var duration: Duration?

    /// Who did it: the database's user, and the program if it has a name.
    public var applier: String

    /// Creates a record.
    ///
    /// - Parameters:
    ///   - version: The migration's version.
    ///   - title: The migration's title.
    ///   - action: What happened.
    ///   - checksum: The SHA-256 of the up file, in hexadecimal.
    ///   - recordedAt: When it happened.
    ///   - duration: How long the file ran.
    ///   - applier: Who did it.
    public init(
        version: Int64, title: String, action: Action, checksum: String?, recordedAt: Date, duration: Duration?,
        applier: String
    ) {
        self.version = version
        self.title = title
        self.action = action
        self.checksum = checksum
        self.recordedAt = recordedAt
        self.duration = duration
        self.applier = applier
    }

    var isApplied: Bool { action == .up || action == .adopted }
}
