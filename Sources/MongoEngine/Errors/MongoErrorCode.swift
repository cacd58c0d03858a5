internal import PersistenceCore

/// What the codes of a MongoDB server mean.
///
/// Source: `src/mongo/base/error_codes.yml` in the server's sources, and "Error Codes" in the MongoDB manual.
enum MongoErrorCode {
    struct Meaning {
        var code: PersistenceError.Code
        var sentence: String?
        var timeout: PersistenceError.TimeoutKind?
        var retrySafety: PersistenceError.RetrySafety?

        init(
            _ code: PersistenceError.Code, _ sentence: String? = nil, timeout: PersistenceError.TimeoutKind? = nil,
            retrySafety: PersistenceError.RetrySafety? = nil
        ) {
            self.code = code
            self.sentence = sentence
            self.timeout = timeout
            self.retrySafety = retrySafety
        }
    }

    static func meaning(of code: Int32, message: String) -> Meaning {
        // An index build that meets duplicates says so in its message alone on some servers.
        table[code] ?? (message.hasPrefix("E11000") ? Meaning(.uniqueViolation) : Meaning(.server))
    }

    private static let table: [Int32: Meaning] = {
        var table: [Int32: Meaning] = [:]
        func add(_ meaning: Meaning, _ codes: Int32...) {
            for code in codes { table[code] = meaning }
        }
        add(Meaning(.uniqueViolation), 11000, 11001, 12582)
        add(Meaning(.checkViolation, "the collection's validator refused a document"), 121)
        add(Meaning(.serializationFailure), 112)
        add(Meaning(.timeout, "the server ran out of the operation's time", timeout: .statement), 50, 262)
        add(Meaning(.timeout, "a lock was not free in time", timeout: .lock, retrySafety: .safe), 24)
        add(
            Meaning(
                .timeout, "the write was done, but too few members have acknowledged it in time", timeout: .statement,
                retrySafety: .unknown), 64)
        add(Meaning(.cancelled, "the operation was killed on the server"), 11601)
        // The codes that the retryable writes specification names besides those of the network.
        add(
            Meaning(.unavailable, "the server is not the primary, or is shutting down", retrySafety: .unknown),
            91, 189, 10107, 13435, 13436, 11600, 11602, 10058)
        add(
            Meaning(.connection, "the server lost its connection to another one", retrySafety: .unknown), 6, 7, 89, 202,
            9001)
        add(Meaning(.unavailable, "no member satisfies the read preference", retrySafety: .safe), 133)
        add(
            Meaning(
                .unavailable, "the server has closed the cursor, because it was idle for too long", retrySafety: .safe),
            43)
        add(Meaning(.permission), 13)
        add(Meaning(.authentication), 18, 11, 334)
        add(Meaning(.invalidStatement, "the collection or database does not exist"), 26)
        add(Meaning(.invalidStatement, "the collection exists already"), 48)
        add(Meaning(.invalidStatement, "an index of that name or with those keys exists with other options"), 85, 86)
        add(Meaning(.invalidStatement, "the index does not exist"), 27)
        add(Meaning(.invalidArgument, "the database or collection has no acceptable name"), 73)
        add(Meaning(.invalidStatement), 2, 9, 14, 20, 40, 72, 168, 263, 40324, 40415, 51024, 28667, 15959, 16410)
        add(Meaning(.invalidData), 52, 53, 54, 55, 56, 57, 66, 17280, 28, 51)
        add(Meaning(.unsupported, "the server does not have this command or option"), 59, 115, 238, 323, 303)
        add(Meaning(.tooLarge), 10334, 17419, 17420, 257)
        add(Meaning(.resourceExhausted), 39, 14031, 146, 292, 82)
        add(
            Meaning(.configuration, "the write concern names members or tags that the replica set does not have"), 79,
            100)
        add(
            Meaning(.transactionAborted, "the server has ended the transaction, and nothing of it is kept"),
            251, 225, 244, 290)
        add(Meaning(.transactionFinished, "the transaction was committed before"), 256)
        return table
    }()
}
