internal import PersistenceCore

/// What libpq's words about a failed connection mean.
enum PostgresConnectFailure {
    static func error(message: String, host: PostgresHost) -> PersistenceError {
        PersistenceError(.connection, "no connection to \(host)", operation: "connect").with {
            $0.serverMessage = message
        }
    }
}
