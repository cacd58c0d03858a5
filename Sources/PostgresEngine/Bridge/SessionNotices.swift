internal import CLibPQ
internal import Logging
internal import Synchronization

/// Takes the server's notices and warnings to the logger, and knows the one that changes what an answer means.
///
/// libpq calls it while the session's lock is held, so it knows nothing of the session.
final class SessionNotices: Sendable {
    private let logger: Logger?
    private let hasUnreplicatedCommit = Atomic<Bool>(false)

    init(logger: Logger?) {
        self.logger = logger
    }

    /// Becomes the receiver of a connection's notices.
    ///
    /// The receiver must live as long as the connection.
    func attach(to connection: OpaquePointer) {
        PQsetNoticeReceiver(
            connection,
            { context, result in
                guard let context, let result else { return }
                Unmanaged<SessionNotices>.fromOpaque(context).takeUnretainedValue().receive(result)
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    /// Whether the server has committed without the replicas that it was to wait for, since this was last asked.
    ///
    /// When a statement is cancelled while its commit waits for synchronous replication, the server answers with success
    /// and a warning (PostgreSQL, chapter 27.2.8).
    func takeUnreplicatedCommit() -> Bool {
        guard hasUnreplicatedCommit.load(ordering: .relaxed) else { return false }
        return hasUnreplicatedCommit.exchange(false, ordering: .relaxed)
    }

    private func receive(_ notice: OpaquePointer) {
        // The warning has no code of its own and its text is translated; the function that it comes from is always named.
        if let function = PQresultErrorField(notice, Int32(UInt8(ascii: "R"))),
            String(cString: function) == "SyncRepWaitForLSN"
        {
            hasUnreplicatedCommit.store(true, ordering: .relaxed)
        }
        guard let logger else { return }
        let severity = field(notice, UInt8(ascii: "V")) ?? "NOTICE"
        let level: Logger.Level =
            switch severity {
            case "WARNING": .warning
            case "DEBUG": .trace
            // Without their text, notices such as "relation … already exists, skipping" tell nobody anything.
            default: .debug
            }
        // The text of a notice is written by the schema's authors and can quote values, so it stays at trace level.
        logger.log(
            level: level, "PostgreSQL \(severity.lowercased())",
            metadata: ["db.response.status_code": "\(field(notice, UInt8(ascii: "C")) ?? "00000")"])
        logger.trace("PostgreSQL \(severity.lowercased()): \(field(notice, UInt8(ascii: "M")) ?? "")")
    }

    private func field(_ notice: OpaquePointer, _ code: UInt8) -> String? {
        PQresultErrorField(notice, Int32(code)).map { String(cString: $0) }
    }
}
