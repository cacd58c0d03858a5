internal import BSON
internal import PersistenceCore
internal import PostgresEngine

extension Gateway {
    /// What administrators and tests do to a server.
    func operate(_ command: Command, _ session: ClientSession) async throws -> WireReply {
        switch command.kind {
        case .currentOp:
            return try await reply(
                "SELECT document::bytea FROM documentdb_api.current_op_command(\(command.bytes)::bytea)", on: database)
        case .killOp:
            return try await reply("SELECT documentdb_api.kill_op(\(command.bytes)::bytea)::bytea", on: database)
        case .configureFailPoint:
            guard configuration.allowsFailPoints else {
                throw CommandError(59, "no such command: 'configureFailPoint'")
            }
            try failPoints.configure(command)
            return WireReply(["count": .int32(0), "ok": 1.0])
        default:
            throw CommandError(115, "parameters of this endpoint are set when it starts")
        }
    }
}
