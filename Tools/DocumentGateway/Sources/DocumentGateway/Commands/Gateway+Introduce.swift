internal import BSON
internal import PersistenceCore
internal import PostgresEngine
internal import Synchronization

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

extension Gateway {
    /// The version of MongoDB whose behaviour is offered, as far as it goes.
    static let version = "7.0.0"
    static let setName = "documentdb"
    private static let electionID = ObjectID(bytes: [0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 1])

    /// What drivers and shells ask of a server before and beside their work.
    func introduce(_ command: Command, _ session: ClientSession) async throws -> WireReply {
        switch command.kind {
        case .hello: return WireReply(try await hello(command, session))
        case .ping, .endSessions, .refreshSessions, .killSessions:
            if command.kind != .ping { await endSessions(command, session) }
            return WireReply(["ok": 1.0])
        case .buildInfo:
            return WireReply([
                "version": .string(Self.version), "gitVersion": "unknown", "modules": [], "sysInfo": "deprecated",
                "versionArray": [.int32(7), .int32(0), .int32(0), .int32(0)], "openssl": ["running": "BoringSSL"],
                "javascriptEngine": "none", "bits": .int32(64), "debug": false,
                "maxBsonObjectSize": .int32(16_777_216), "storageEngines": ["documentdb"], "ok": 1.0,
            ])
        case .getParameter:
            return WireReply(parameters(command))
        case .connectionStatus:
            return WireReply(connectionStatus(session))
        case .whatsmyuri:
            return WireReply(["you": .string(session.remoteAddress), "ok": 1.0])
        case .getLog:
            guard command.subject?.string != "*" else {
                return WireReply(["names": ["global", "startupWarnings"], "ok": 1.0])
            }
            return WireReply(["totalLinesWritten": .int32(0), "log": [], "ok": 1.0])
        case .hostInfo:
            return WireReply([
                "system": ["currentTime": .date(.now), "hostname": .string(advertised)], "os": [:], "extra": [:],
                "ok": 1.0,
            ])
        case .serverStatus:
            return WireReply(serverStatus())
        case .getCmdLineOpts:
            return WireReply(["argv": ["document-gateway"], "parsed": [:], "ok": 1.0])
        case .replSetGetStatus:
            return WireReply([
                "set": .string(Self.setName), "date": .date(.now), "myState": .int32(1),
                "members": [
                    [
                        "_id": .int32(0), "name": .string(advertised), "health": 1.0, "state": .int32(1),
                        "stateStr": "PRIMARY", "self": true,
                    ]
                ],
                "ok": 1.0,
            ])
        case .listCommands:
            let commands = CommandKind.allCases.map { ($0.rawValue, BSONValue.document(["help": ""])) }
            return WireReply(["commands": .document(Document(commands)), "ok": 1.0])
        case .startSession:
            return WireReply([
                "id": ["id": .binary(BSONBinary(UUID()))], "timeoutMinutes": .int32(30), "ok": 1.0,
            ])
        default:
            throw CommandError(59, "no such command: '\(command.name)'")
        }
    }

    var advertised: String { address.withLock { $0 } }

    private func hello(_ command: Command, _ session: ClientSession) async throws -> Document {
        if let application = command.body["client"]?["application"]?["name"]?.string {
            session.withState { $0.application = application }
        }
        let isHello = command.name == "hello"
        let address = BSONValue.string(advertised)
        var document: Document = [
            "helloOk": true, "setName": .string(Self.setName), "setVersion": .int32(1), "secondary": false,
            "hosts": [address], "me": address, "primary": address,
            "lastWrite": [
                "opTime": ["ts": .timestamp(.now), "t": .int64(1)], "lastWriteDate": .date(.now),
                "majorityOpTime": ["ts": .timestamp(.now), "t": .int64(1)], "majorityWriteDate": .date(.now),
            ],
            "maxBsonObjectSize": .int32(16_777_216),
            "maxMessageSizeBytes": .int32(Int32(clamping: configuration.maximumMessageBytes)),
            "maxWriteBatchSize": .int32(25_000), "localTime": .date(.now),
            "logicalSessionTimeoutMinutes": .int32(30), "connectionId": .int32(session.id),
            "minWireVersion": .int32(0), "maxWireVersion": .int32(21), "readOnly": false,
        ]
        document.append(isHello ? "isWritablePrimary" : "ismaster", true)
        if let id = Self.electionID { document.append("electionId", .objectID(id)) }
        if command.body["saslSupportedMechs"] != nil {
            document.append("saslSupportedMechs", ["SCRAM-SHA-256"])
        }
        if let start = command.body["speculativeAuthenticate"]?.document,
            let reply = try? await startAuthentication(start, database: start["db"]?.string ?? "admin", session)
        {
            // Only a shortcut: when it does not work the client authenticates by commands.
            document.append("speculativeAuthenticate", .document(reply))
        }
        document.append("ok", 1.0)
        return document
    }

    private func parameters(_ command: Command) -> Document {
        let known: [(String, BSONValue)] = [
            ("featureCompatibilityVersion", ["version": "7.0"]), ("authenticationMechanisms", ["SCRAM-SHA-256"]),
            ("enableTestCommands", .bool(configuration.allowsFailPoints)),
        ]
        var document = Document()
        let all = command.subject?.string == "*"
        for (name, value) in known where all || command.body.contains(key: name) { document.append(name, value) }
        document.append("ok", 1.0)
        return document
    }

    private func connectionStatus(_ session: ClientSession) -> Document {
        var users = BSONArray()
        var roles = BSONArray()
        if let user = session.user {
            users.append(["user": .string(user.name), "db": .string(user.database)])
            for role in user.roles { roles.append(.document(role.document)) }
        }
        return ["authInfo": ["authenticatedUsers": .array(users), "authenticatedUserRoles": .array(roles)], "ok": 1.0]
    }

    private func serverStatus() -> Document {
        let uptime = (ContinuousClock.now - started).components.seconds
        let pools = [database.statistics, transactionDatabase.statistics]
        func sum(_ value: (PostgresPoolStatistics) -> Int64) -> BSONValue {
            .int64(pools.reduce(0) { $0 + value($1) })
        }
        return [
            "host": .string(advertised), "version": .string(Self.version), "process": "document-gateway",
            "uptime": .double(Double(uptime)), "localTime": .date(.now),
            "connections": ["current": .int32(Int32(clamping: tracker.count))],
            "engine": [
                "connections": sum { Int64($0.total) }, "inUse": sum { Int64($0.acquired) },
                "uses": sum(\.acquires), "resets": sum(\.resets),
            ],
            "cursors": ["open": .int32(Int32(clamping: cursors.count))],
            "transactions": ["currentOpen": .int32(Int32(clamping: transactions.open.count))],
            "storageEngine": ["name": "documentdb", "supportsCommittedReads": true, "persistent": true], "ok": 1.0,
        ]
    }

    /// Ends sessions that the client names: an open transaction is rolled back, records are forgotten.
    private func endSessions(_ command: Command, _ session: ClientSession) async {
        guard command.kind != .refreshSessions, let array = command.subject?.array else { return }
        for value in array {
            guard let id = value["id"]?.binary?.bytes, id.count == 16 else { continue }
            let key = SessionKey(id: id, user: session.user?.name)
            transactions.end(key)?.expire()
            writes.end(key)
        }
    }
}

extension BSONDate {
    static var now: BSONDate { BSONDate(Date()) }
}

extension BSONTimestamp {
    static var now: BSONTimestamp {
        BSONTimestamp(seconds: UInt32(clamping: Int(Date().timeIntervalSince1970)), increment: 1)
    }
}
