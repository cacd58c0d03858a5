/// What a command is, whatever spelling the client uses.
package enum CommandKind: String, Sendable, CaseIterable {
    // Handshake, health, sessions
    case hello, ping, buildInfo, getParameter, connectionStatus, whatsmyuri, getLog, hostInfo, serverStatus
    case getCmdLineOpts, replSetGetStatus, listCommands, startSession, endSessions, refreshSessions, killSessions
    // Authentication and users
    case saslStart, saslContinue, logout, createUser, updateUser, dropUser, usersInfo, grantRolesToUser
    case revokeRolesFromUser
    // Data
    case insert, update, delete, findAndModify, find, aggregate, getMore, killCursors, count, distinct, explain
    // Transactions
    case commitTransaction, abortTransaction
    // Collections, databases, indexes
    case create, drop, dropDatabase, renameCollection, collMod, createIndexes, dropIndexes
    case listCollections, listIndexes, listDatabases, collStats, dbStats, validate, compact
    // Administration
    case currentOp, killOp, configureFailPoint, setParameter

    private static let spellings: [String: CommandKind] = {
        var table: [String: CommandKind] = [:]
        for kind in allCases { table[kind.rawValue] = kind }
        let others: [String: CommandKind] = [
            "isMaster": .hello, "ismaster": .hello, "buildinfo": .buildInfo, "findandmodify": .findAndModify,
            "deleteIndexes": .dropIndexes, "collstats": .collStats, "dbstats": .dbStats,
            "whatsMyUri": .whatsmyuri, "killAllSessions": .killSessions, "serverstatus": .serverStatus,
        ]
        table.merge(others) { first, _ in first }
        return table
    }()

    /// The kind for a name as the client wrote it; `nil` for a command that is not known.
    package init?(name: String) {
        guard let kind = Self.spellings[name] else { return nil }
        self = kind
    }

    /// Whether the command changes documents in a way that drivers may repeat with the same `txnNumber`.
    var isRetryableWrite: Bool {
        switch self {
        case .insert, .update, .delete, .findAndModify: true
        default: false
        }
    }

    /// Whether the command may be part of a transaction.
    var isAllowedInTransaction: Bool {
        switch self {
        case .insert, .update, .delete, .findAndModify, .find, .aggregate, .getMore, .killCursors, .distinct, .create,
            .createIndexes, .commitTransaction, .abortTransaction:
            true
        default: false
        }
    }

    /// Whether the work may be given up when the client goes away.
    var isReadOnly: Bool {
        switch self {
        case .find, .getMore, .count, .distinct, .explain, .listCollections, .listIndexes, .listDatabases: true
        default: false
        }
    }
}
