internal import BSON
internal import PersistenceCore
internal import PostgresEngine

extension Gateway {
    /// The user as the gateway's own table has it; the credentials are the engine's.
    func user(named name: String) async throws -> AuthenticatedUser? {
        let row = try await database.optional(
            "SELECT database, roles FROM document_gateway.users WHERE name = \(name)::text",
            as: (String, [UInt8]).self)
        guard let (home, roles) = row else { return nil }
        return AuthenticatedUser(
            name: name, database: home,
            roles: try Role.list(Document(unchecked: roles)["roles"], database: home))
    }

    /// Makes sure that the configured administrator exists and has the configured password.
    func prepareAdministrator() async throws {
        guard let (name, password) = configuration.administrator else { return }
        let roles = [Role(name: .root, database: "admin")]
        if try await user(named: name) == nil {
            do {
                try await createUser(name, password: password.reveal(), roles: roles, database: "admin")
                return
            } catch {
                // The engine may know the user from a gateway that ended in between.
                guard CommandError(error, inTransaction: false).code == 51003 else { throw error }
                try await store(name, database: "admin", roles: roles)
            }
        }
        try await setPassword(of: name, to: password.reveal())
    }

    func manageUsers(_ command: Command) async throws -> WireReply {
        switch command.kind {
        case .createUser:
            let name = try userName(command)
            guard let password = command.body["pwd"]?.string, !password.isEmpty else {
                throw CommandError(2, "Must provide a 'pwd' field for all user documents")
            }
            try await createUser(
                name, password: password, roles: try Role.list(command.body["roles"], database: command.database),
                database: command.database)
        case .updateUser:
            let name = try userName(command)
            guard let user = try await user(named: name), user.database == command.database else {
                throw notFound(name, command)
            }
            if let value = command.body["roles"] {
                try await store(
                    name, database: user.database, roles: try Role.list(value, database: command.database))
            }
            if let password = command.body["pwd"]?.string { try await setPassword(of: name, to: password) }
        case .dropUser:
            let name = try userName(command)
            guard let user = try await user(named: name), user.database == command.database else {
                throw notFound(name, command)
            }
            let spec = Document([("dropUser", .string(name))]).byteArray
            _ = try await database.one("SELECT documentdb_api.drop_user(\(spec)::bytea)::bytea", as: [UInt8].self)
            try await database.execute("DELETE FROM document_gateway.users WHERE name = \(name)::text")
        case .grantRolesToUser, .revokeRolesFromUser:
            let name = try userName(command)
            guard let user = try await user(named: name), user.database == command.database else {
                throw notFound(name, command)
            }
            let changed = try Role.list(command.body["roles"], database: command.database)
            var roles = user.roles.filter { !changed.contains($0) }
            if command.kind == .grantRolesToUser { roles += changed }
            try await store(name, database: user.database, roles: roles)
        default:
            return try await usersInfo(command)
        }
        return WireReply(["ok": 1.0])
    }

    private func userName(_ command: Command) throws(CommandError) -> String {
        guard let name = command.subject?.string, !name.isEmpty else {
            throw CommandError(2, "the user's name must be a string that is not empty")
        }
        return name
    }

    private func notFound(_ name: String, _ command: Command) -> CommandError {
        CommandError(11, "User '\(name)@\(command.database)' not found")
    }

    private func createUser(_ name: String, password: String, roles: [Role], database home: String) async throws {
        // The engine knows three roles for the whole server. What a user may do is the gateway's to decide, which
        // reaches the engine as its owner, so the least of them will do.
        let spec: Document = [
            "createUser": .string(name), "pwd": .string(password),
            "roles": [["role": "readAnyDatabase", "db": "admin"]],
        ]
        do {
            _ = try await database.one(
                "SELECT documentdb_api.create_user(\(spec.byteArray)::bytea)::bytea", as: [UInt8].self)
        } catch {
            guard error.serverCode == "42710" else { throw error }
            throw CommandError(51003, "User \"\(name)@\(home)\" already exists")
        }
        try await store(name, database: home, roles: roles)
    }

    private func setPassword(of name: String, to password: String) async throws {
        let spec = Document([("updateUser", .string(name)), ("pwd", .string(password))]).byteArray
        _ = try await database.one("SELECT documentdb_api.update_user(\(spec)::bytea)::bytea", as: [UInt8].self)
    }

    private func store(_ name: String, database home: String, roles: [Role]) async throws {
        let document = Document([("roles", .array(BSONArray(roles.map { BSONValue.document($0.document) })))])
        try await database.execute(
            """
            INSERT INTO document_gateway.users (name, database, roles)
            VALUES (\(name)::text, \(home)::text, \(document.byteArray)::bytea)
            ON CONFLICT (name) DO UPDATE SET roles = excluded.roles
            """)
    }

    private func usersInfo(_ command: Command) async throws -> WireReply {
        let rows = try await database.all(
            "SELECT name, database, roles FROM document_gateway.users ORDER BY name",
            as: (String, String, [UInt8]).self)
        var wanted: [(name: String, database: String)]?
        switch command.subject {
        case .string(let name)?: wanted = [(name, command.database)]
        case .document(let document)?:
            if document["forAllDBs"]?.bool != true {
                wanted = [(document["user"]?.string ?? "", document["db"]?.string ?? command.database)]
            }
        case .array(let array)?:
            wanted = array.map { ($0.string ?? $0["user"]?.string ?? "", $0["db"]?.string ?? command.database) }
        default: break
        }
        var users = BSONArray()
        for (name, home, roles) in rows {
            if let wanted, !wanted.contains(where: { $0.name == name && $0.database == home }) { continue }
            if wanted == nil, command.subject?.document == nil, home != command.database { continue }
            users.append([
                "_id": .string("\(home).\(name)"), "user": .string(name), "db": .string(home),
                "roles": Document(unchecked: roles)["roles"] ?? [], "mechanisms": ["SCRAM-SHA-256"],
            ])
        }
        return WireReply(["users": .array(users), "ok": 1.0])
    }
}
