public import PersistenceCore

extension PostgresExecutor {
    /// Notifies those who listen on a channel; in a transaction, when it commits.
    ///
    /// Several notifications of one transaction with the same channel and payload are delivered as one.
    ///
    /// - Parameters:
    ///   - channel: The channel's name.
    ///   - payload: A text of less than 8000 bytes of UTF-8: better a key than the data itself.
    /// - Throws: ``PersistenceError``: `invalidArgument` when the channel's name is none, `tooLarge` when the payload
    ///   is too long, `encoding` when it contains a NUL character.
    public func notify(_ channel: String, payload: String = "") async throws(PersistenceError) {
        do throws(PersistenceError) {
            _ = try PostgresIdentifier(channel)
            guard payload.utf8.count <= Notify.maximumPayload else {
                throw PersistenceError(
                    .tooLarge, "a notification's payload has at most \(Notify.maximumPayload) bytes")
            }
            let lease = try await lease()
            let span = lease.begin(.notification, name: Notify.command)
            do throws(PersistenceError) {
                _ = try await lease.execute(.query(ObjectIdentifier(Notify.self)), sql: Notify.sql) {
                    (parameters) throws(PersistenceError) in
                    try parameters.append(channel)
                    try parameters.append(payload)
                }
                span?.end()
            } catch {
                span?.end(throwing: error)
                throw error
            }
        } catch {
            throw error.with { $0.operation = $0.operation ?? Notify.command }
        }
    }
}

private enum Notify {
    static let command = "NOTIFY"
    static let sql = "SELECT pg_catalog.pg_notify($1, $2)"
    /// `NOTIFY_PAYLOAD_MAX_LENGTH` of the server's sources for pages of 8 KB, less the terminator.
    static let maximumPayload = 7999
}
