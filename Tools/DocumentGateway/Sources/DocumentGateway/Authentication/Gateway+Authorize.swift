internal import BSON

extension Gateway {
    /// Refuses what the client's user may not do.
    func authorize(_ command: Command, _ session: ClientSession) throws(CommandError) {
        guard configuration.requiresAuthentication else { return }
        let privileges = try command.privileges()
        if privileges == [.open] { return }
        guard let user = session.user else {
            throw CommandError(13, "command \(command.name) requires authentication")
        }
        for privilege in privileges {
            guard user.may(privilege) else { throw .unauthorized(command.name, database: command.database) }
        }
    }
}

extension Command {
    /// What the command does, for authorization; all of it must be allowed.
    func privileges() throws(CommandError) -> [Privilege] {
        switch kind {
        case .hello, .ping, .buildInfo, .connectionStatus, .whatsmyuri, .saslStart, .saslContinue, .logout,
            .listCommands, .endSessions:
            return [.open]
        case .getParameter, .startSession, .refreshSessions, .killSessions, .getMore, .killCursors, .listDatabases,
            .commitTransaction, .abortTransaction, .setParameter, .replSetGetStatus:
            return [.authenticated]
        case .getLog, .hostInfo, .serverStatus, .getCmdLineOpts, .currentOp:
            return [.monitor]
        case .killOp, .configureFailPoint:
            return [.manageServer]
        case .createUser, .updateUser, .dropUser, .usersInfo, .grantRolesToUser, .revokeRolesFromUser:
            return [.manageUsers(database: database)]
        case .find, .count, .distinct, .listCollections, .listIndexes, .collStats, .dbStats:
            return [.read(database: database)]
        case .aggregate:
            return [.read(database: database)] + pipelineTargets().map { .write(database: $0) }
        case .explain:
            return [.read(database: database)]
        case .insert, .update, .delete, .findAndModify:
            return [.write(database: database)]
        case .create, .drop, .collMod, .createIndexes, .dropIndexes, .validate, .compact:
            return [.administer(database: database)]
        case .dropDatabase:
            return [.dropDatabase(database)]
        case .renameCollection:
            return [body["renameCollection"], body["to"]].map { value in
                let name = value?.string ?? ""
                return .administer(database: name.split(separator: ".", maxSplits: 1).first.map(String.init) ?? "")
            }
        }
    }

    /// The databases that a pipeline writes to.
    private func pipelineTargets() -> [String] {
        var targets: [String] = []
        for stage in body["pipeline"]?.array ?? BSONArray() {
            guard let stage = stage.document else { continue }
            if let out = stage["$out"] { targets.append(out["db"]?.string ?? database) }
            if let merge = stage["$merge"] { targets.append(merge["into"]?["db"]?.string ?? database) }
        }
        return targets
    }
}
