#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// What a subscription to notifications brings.
@nonexhaustive
public enum PostgresNotificationEvent: Sendable, Hashable {
    /// Somebody has notified a channel.
    case notification(PostgresNotification)
    /// Notifications may have been lost: look at the data itself for what has changed.
    case gap(PostgresNotificationGap)
}

/// A message that a transaction has sent with NOTIFY, delivered after its COMMIT.
public struct PostgresNotification: Sendable, Hashable {
    /// The channel's name.
    public let channel: String
    /// The text that came with it; empty when there was none.
    public let payload: String
    /// The server process that sent it, as `pg_backend_pid()` tells.
    public let process: Int32
}

/// A stretch of time from which notifications may be missing.
public struct PostgresNotificationGap: Sendable, Hashable {
    /// Why they may be missing.
    @nonexhaustive
    public enum Reason: Sendable, Hashable {
        /// The connection was lost, and has been replaced.
        case reconnected
        /// The consumer was slower than the notifications came; this many were thrown away.
        case overflow(lost: Int)
    }

    /// Why they may be missing.
    public let reason: Reason

    /// The server's clock when everything was known to be complete for the last time.
    ///
    /// A notification is sent at COMMIT, and `now()` in its transaction tells the begin: when asking for rows changed
    /// since, go back by as much as transactions may last.
    public let since: Date
}
