internal import CMongoC
internal import PersistenceCore

/// How a session behaves.
public struct MongoSessionOptions: Sendable, Hashable {
    /// Whether reads see what the session has written and read before, whichever member they go to.
    public var isCausallyConsistent: Bool
    /// Whether all reads see one moment; needs a replica set of MongoDB 5.0, and goes without causal consistency.
    public var isSnapshot: Bool

    /// Creates options.
    ///
    /// - Parameters:
    ///   - isCausallyConsistent: Whether reads see what the session has written before.
    ///   - isSnapshot: Whether all reads see one moment.
    public init(isCausallyConsistent: Bool = true, isSnapshot: Bool = false) {
        self.isCausallyConsistent = isCausallyConsistent && !isSnapshot
        self.isSnapshot = isSnapshot
    }
}

/// How a transaction runs.
public struct MongoTransactionOptions: Sendable, Hashable {
    /// Which writes its reads may see: `local`, `majority` or `snapshot`.
    public var readConcern: MongoReadConcern?
    /// When it counts as committed.
    public var writeConcern: MongoWriteConcern?
    /// How long committing may take on the server, in whole milliseconds.
    public var maximumCommitTime: Duration?
    /// For how long the whole transaction, or its commit, is tried again when the server says that this may help.
    ///
    /// 120 s, as the transactions convenience API specification has it.
    public var retryTimeLimit: Duration

    /// Creates options.
    ///
    /// - Parameters:
    ///   - readConcern: Which writes its reads may see.
    ///   - writeConcern: When it counts as committed.
    ///   - maximumCommitTime: How long committing may take on the server.
    ///   - retryTimeLimit: For how long it is tried again; zero never.
    public init(
        readConcern: MongoReadConcern? = nil, writeConcern: MongoWriteConcern? = nil,
        maximumCommitTime: Duration? = nil, retryTimeLimit: Duration = .seconds(120)
    ) {
        self.readConcern = readConcern
        self.writeConcern = writeConcern
        self.maximumCommitTime = maximumCommitTime
        self.retryTimeLimit = retryTimeLimit
    }

    /// A `mongoc_transaction_opt_t`, which the caller destroys.
    func makeDriverOptions() -> OpaquePointer? {
        let options = mongoc_transaction_opts_new()
        if let readConcern {
            let concern = mongoc_read_concern_new()
            mongoc_read_concern_set_level(concern, readConcern.rawValue)
            mongoc_transaction_opts_set_read_concern(options, concern)
            mongoc_read_concern_destroy(concern)
        }
        if let concern = writeConcern?.makeDriverConcern() {
            mongoc_transaction_opts_set_write_concern(options, concern)
            mongoc_write_concern_destroy(concern)
        }
        if let maximumCommitTime {
            mongoc_transaction_opts_set_max_commit_time_ms(options, maximumCommitTime.wholeMilliseconds)
        }
        return options
    }
}
