internal import BSON
internal import CMongoC
internal import PersistenceCore

/// What an operation has at hand while it runs on a thread that may block.
struct MongoCall {
    /// The client that the operation has.
    let pooled: PooledClient
    private let pool: MongoClientPool
    /// The lane that the client belongs to, where it is to do more than this operation.
    private(set) var lane: ClientLane?
    /// The session that the operation is part of, a `mongoc_client_session_t`.
    let session: OpaquePointer?
    /// How long the server may take, in milliseconds.
    let maximumTime: Int64?
    let database: String
    /// The client, a `mongoc_client_t`.
    var client: OpaquePointer { pooled.pointer.raw }

    init(
        pooled: PooledClient, pool: MongoClientPool, lane: ClientLane?, session: OpaquePointer?, maximumTime: Int64?,
        database: String
    ) {
        self.pooled = pooled
        self.pool = pool
        self.lane = lane
        self.session = session
        self.maximumTime = maximumTime
        self.database = database
    }

    /// Keeps the client beyond the operation's end, for a cursor or a session.
    ///
    /// - Returns: The lane that has it from now on.
    mutating func keepClient() -> ClientLane {
        if let lane { return lane }
        let lane = ClientLane(pool: pool, client: pooled)
        self.lane = lane
        return lane
    }

    /// Lends a collection, a `mongoc_collection_t`.
    func withCollection<Result>(_ name: String, _ body: (OpaquePointer) -> Result) -> Result {
        pooled.withCollection(name, in: database, body)
    }

    /// Lends options with the session, and with the time limit where the command takes one.
    func withOptions<Result>(
        _ options: Document, limitsTime: Bool = true, _ body: (OpaquePointer) -> Result
    ) -> Result {
        let maximumTime = limitsTime ? maximumTime : nil
        guard session != nil || maximumTime != nil else { return options.withBSON(body) }
        let growing = GrowingBSON(copying: options)
        if let session { mongoc_client_session_append(session, growing.pointer, nil) }
        if let maximumTime { bson_append_int64(growing.pointer, "maxTimeMS", -1, maximumTime) }
        return body(growing.pointer)
    }

    /// Runs a command and gives its reply.
    ///
    /// - Parameters:
    ///   - command: The command.
    ///   - database: The database to run it on; without one, the configured.
    ///   - options: The driver's options.
    ///   - kind: Whether it reads, with the read preference and retried, or writes.
    func command(
        _ command: Document, on database: String? = nil, options: Document = Document(), _ kind: CommandKind,
        limitsTime: Bool = true
    ) -> Result<Document, MongoFailure> {
        let database = database ?? self.database
        var error = bson_error_t()
        let (isDone, reply) = command.withBSON { command in
            withOptions(options, limitsTime: limitsTime) { options in
                BSONSlot.reply { reply in
                    switch kind {
                    case .read:
                        mongoc_client_read_command_with_opts(client, database, command, nil, options, reply, &error)
                    case .write:
                        mongoc_client_write_command_with_opts(client, database, command, options, reply, &error)
                    case .plain:
                        mongoc_client_command_with_opts(client, database, command, nil, options, reply, &error)
                    }
                }
            }
        }
        return isDone ? .success(reply) : .failure(MongoFailure(error, reply: reply))
    }

    enum CommandKind {
        /// Goes where reads go, and is done again when it is cut off.
        case read
        /// Goes to the primary, with the write concern.
        case write
        /// Goes to the primary, as it is.
        case plain
    }
}

/// The driver's answer to a call with a reply and an error.
struct DriverAnswer {
    var isDone = false
    var reply = Document()
    var error = bson_error_t()

    /// Calls a function that fills a reply and an error.
    init(_ body: (OpaquePointer, UnsafeMutablePointer<bson_error_t>) -> Bool) {
        var error = bson_error_t()
        (isDone, reply) = BSONSlot.reply { reply in body(reply, &error) }
        self.error = error
    }

    /// The reply, or the failure.
    var result: Result<Document, MongoFailure> {
        isDone ? .success(reply) : .failure(MongoFailure(error, reply: reply))
    }

    /// Calls a function that fills a reply that matters only when it fails.
    static func failure(_ body: (OpaquePointer, UnsafeMutablePointer<bson_error_t>) -> Bool) -> MongoFailure? {
        BSONSlot.with { slot in
            // Should the function return before it has done so itself.
            bson_init(slot)
            defer { bson_destroy(slot) }
            var error = bson_error_t()
            return body(slot, &error) ? nil : MongoFailure(error, reply: Document(copying: slot))
        }
    }
}
