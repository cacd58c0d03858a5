internal import BSON
internal import Logging
internal import PersistenceCore
internal import PostgresEngine

extension Gateway {
    /// Authentication, and the users who can.
    func authenticate(_ command: Command, _ session: ClientSession) async throws -> WireReply {
        switch command.kind {
        case .saslStart:
            return WireReply(try await startAuthentication(command.body, database: command.database, session))
        case .saslContinue:
            return WireReply(try await continueAuthentication(command.body, session))
        case .logout:
            session.withState { $0.user = nil }
            return WireReply(["ok": 1.0])
        default:
            return try await manageUsers(command)
        }
    }

    /// Answers the client's first message of SCRAM-SHA-256.
    func startAuthentication(
        _ body: Document, database: String, _ session: ClientSession
    ) async throws -> Document {
        guard body["mechanism"]?.string == "SCRAM-SHA-256" else {
            throw CommandError(334, "Received authentication for mechanism that is not supported; use SCRAM-SHA-256")
        }
        guard let payload = body["payload"]?.binary?.bytes else {
            throw CommandError(14, "the field 'payload' must be binary")
        }
        let first = try ScramConversation.ClientFirst(payload)
        let found = Document(
            unchecked: try await self.database.one(
                "SELECT documentdb_api_internal.scram_sha256_get_salt_and_iterations(\(first.user)::text)::bytea",
                as: [UInt8].self))
        var salt = found["salt"]?.string ?? ""
        var iterations = found["iterations"]?.int ?? 0
        if found["ok"]?.int != 1 || salt.isEmpty {
            // Whether there is such a user is not for strangers to know: the conversation goes on, and fails at its end.
            salt = Self.pretendedSalt(for: first.user)
            iterations = 4096
        }
        var generator = SystemRandomNumberGenerator()
        let suffix =
            String(UInt64.random(in: .min ... .max, using: &generator), radix: 36)
            + String(UInt64.random(in: .min ... .max, using: &generator), radix: 36)
        let conversation = ScramConversation(
            first: first, salt: salt, iterations: iterations, nonceSuffix: suffix, database: database,
            skipsEmptyExchange: body["options"]?["skipEmptyExchange"]?.bool ?? false)
        session.withState { $0.conversation = conversation }
        return ScramConversation.reply(conversation.serverFirst, isDone: false)
    }

    private func continueAuthentication(_ body: Document, _ session: ClientSession) async throws -> Document {
        guard var conversation = session.withState({ $0.conversation }),
            body["conversationId"]?.int == Int(ScramConversation.id), let payload = body["payload"]?.binary?.bytes
        else { throw CommandError(17, "No SASL session state found") }
        session.withState { $0.conversation = nil }
        switch conversation.step {
        case .empty(let user):
            session.withState { $0.user = user }
            return ScramConversation.reply("", isDone: true)
        case .clientFinal:
            let (message, proof) = try conversation.proof(payload)
            let name = conversation.first.user
            let result = Document(
                unchecked: try await database.one(
                    """
                    SELECT documentdb_api_internal.authenticate_with_scram_sha256(
                        \(name)::text, \(message)::text, \(proof)::text)::bytea
                    """, as: [UInt8].self))
            guard result["ok"]?.int == 1, let signature = result["ServerSignature"]?.string,
                let user = try await user(named: name), user.database == conversation.database
            else {
                logger.info("authentication failed", metadata: ["client": "\(session.remoteAddress)"])
                throw CommandError(18, "Authentication failed.")
            }
            if conversation.skipsEmptyExchange {
                session.withState { $0.user = user }
            } else {
                conversation.step = .empty(user)
                session.withState { [conversation] in $0.conversation = conversation }
            }
            return ScramConversation.reply("v=\(signature)", isDone: conversation.skipsEmptyExchange)
        }
    }

    /// A salt that is the same each time somebody asks for it, as a real one would be.
    private static func pretendedSalt(for user: String) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var salt = ""
        for index in 0..<38 {
            var hasher = Hasher()
            hasher.combine(user)
            hasher.combine(index)
            salt.append(alphabet[Int(UInt(bitPattern: hasher.finalize()) % 64)])
        }
        // 28 bytes end in one padding character; the last digit then carries two bits less.
        return salt.dropLast() + "A" + "=="
    }
}
