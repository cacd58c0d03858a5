internal import PersistenceCore
internal import PostgresEngine

// The engine's functions, each with a statement of its own, which every connection prepares once. BSON travels as bytea:
// the extension casts it from there, and checks it.

/// A query that returns a reply's bytes.
protocol EngineReplyQuery: PostgresRowQuery where Row == [UInt8] {}

extension EngineReplyQuery {
    static var command: String { "SELECT" }

    static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> [UInt8] {
        try row.decode(0)
    }
}

/// What a write returns.
struct WriteResult: Sendable {
    let reply: [UInt8]
    /// Whether everything was done, without an error per item.
    let isComplete: Bool

    static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> WriteResult {
        WriteResult(reply: try row.decode(0), isComplete: try row.decode(1))
    }
}

/// A write without a record of it.
protocol EngineWriteQuery: PostgresRowQuery where Row == WriteResult {
    /// The statement that also records the reply, made once.
    static var recordedSQL: String { get }
    init(database: String, body: [UInt8], sequence: [UInt8]?)
    var database: String { get }
    var body: [UInt8] { get }
    var sequence: [UInt8]? { get }
}

extension EngineWriteQuery {
    static var command: String { "SELECT" }

    func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
        try parameters.append(database)
        try parameters.append(body)
        try parameters.append(sequence)
    }

    static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> WriteResult {
        try WriteResult.decode(row)
    }
}

struct InsertQuery: EngineWriteQuery {
    static let name = "insert"
    static let sql =
        "SELECT p_result::bytea, p_success FROM documentdb_api.insert($1, $2::bytea, $3::bytea, NULL)"
    static let recordedSQL = recording(sql)
    let database: String
    let body: [UInt8]
    let sequence: [UInt8]?
}

struct UpdateQuery: EngineWriteQuery {
    static let name = "update"
    static let sql =
        "SELECT p_result::bytea, p_success FROM documentdb_api.update($1, $2::bytea, $3::bytea, NULL)"
    static let recordedSQL = recording(sql)
    let database: String
    let body: [UInt8]
    let sequence: [UInt8]?
}

struct DeleteQuery: EngineWriteQuery {
    static let name = "delete"
    static let sql =
        "SELECT p_result::bytea, p_success FROM documentdb_api.delete($1, $2::bytea, $3::bytea, NULL)"
    static let recordedSQL = recording(sql)
    let database: String
    let body: [UInt8]
    let sequence: [UInt8]?
}

struct FindAndModifyQuery: EngineWriteQuery {
    static let name = "findAndModify"
    // The third parameter is there for the sake of one shape; it is NULL.
    static let sql = """
        SELECT p_result::bytea, p_success FROM documentdb_api.find_and_modify($1, $2::bytea, NULL)
        WHERE $3::bytea IS NULL
        """
    static let recordedSQL = recording(sql)
    let database: String
    let body: [UInt8]
    let sequence: [UInt8]?
}

/// A write together with the record of its reply: one statement, so both happen or neither does.
///
/// A driver that repeats the write after a lost connection gets the recorded reply, even when engine or gateway were killed in between.
struct RecordedWriteQuery<Write: EngineWriteQuery>: PostgresRowQuery {
    typealias Row = WriteResult
    static var name: String { Write.name }
    static var command: String { "SELECT" }

    static var sql: String { Write.recordedSQL }

    let write: Write
    let session: [UInt8]
    let number: Int64

    func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
        try write.bind(to: &parameters)
        try parameters.append(session)
        try parameters.append(number)
    }

    static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> WriteResult {
        try WriteResult.decode(row)
    }
}

extension EngineWriteQuery {
    /// The statement that also records the reply.
    static func recording(_ sql: String) -> String {
        """
        WITH written(reply, is_complete) AS MATERIALIZED (\(sql)), recorded AS (
            INSERT INTO document_gateway.replies AS r (writer, number, reply)
            SELECT $4::bytea, $5::int8, reply FROM written
            ON CONFLICT (writer) DO UPDATE SET number = excluded.number, reply = excluded.reply, used = now())
        SELECT reply, is_complete FROM written
        """
    }
}

/// The first page of a cursor.
struct CursorPage: Sendable {
    let reply: [UInt8]
    /// What getMore hands back to the engine; `nil` when there is no more.
    let continuation: [UInt8]?
    let cursorID: Int64
}

/// A command that opens a cursor.
protocol EngineCursorQuery: PostgresRowQuery where Row == CursorPage {
    init(database: String, body: [UInt8])
    var database: String { get }
    var body: [UInt8] { get }
}

extension EngineCursorQuery {
    static var command: String { "SELECT" }

    func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
        try parameters.append(database)
        try parameters.append(body)
    }

    static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> CursorPage {
        CursorPage(
            reply: try row.decode(0), continuation: try row.decode(1),
            cursorID: try row.decode(2, as: Int64?.self) ?? 0)
    }
}

struct FindQuery: EngineCursorQuery {
    static let name = "find"
    static let sql = """
        SELECT cursorpage::bytea, continuation::bytea, cursorid
        FROM documentdb_api.find_cursor_first_page($1, $2::bytea)
        """
    let database: String
    let body: [UInt8]
}

struct AggregateQuery: EngineCursorQuery {
    static let name = "aggregate"
    static let sql = """
        SELECT cursorpage::bytea, continuation::bytea, cursorid
        FROM documentdb_api.aggregate_cursor_first_page($1, $2::bytea)
        """
    let database: String
    let body: [UInt8]
}

struct ListCollectionsQuery: EngineCursorQuery {
    static let name = "listCollections"
    static let sql = """
        SELECT cursorpage::bytea, continuation::bytea, cursorid
        FROM documentdb_api.list_collections_cursor_first_page($1, $2::bytea)
        """
    let database: String
    let body: [UInt8]
}

struct ListIndexesQuery: EngineCursorQuery {
    static let name = "listIndexes"
    static let sql = """
        SELECT cursorpage::bytea, continuation::bytea, cursorid
        FROM documentdb_api.list_indexes_cursor_first_page($1, $2::bytea)
        """
    let database: String
    let body: [UInt8]
}

struct GetMoreQuery: PostgresRowQuery {
    static let name = "getMore"
    static let command = "SELECT"
    static let sql = """
        SELECT cursorpage::bytea, continuation::bytea
        FROM documentdb_api.cursor_get_more($1, $2::bytea, $3::bytea)
        """
    let database: String
    let body: [UInt8]
    let continuation: [UInt8]

    func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
        try parameters.append(database)
        try parameters.append(body)
        try parameters.append(continuation)
    }

    static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> CursorPage {
        CursorPage(reply: try row.decode(0), continuation: try row.decode(1), cursorID: 0)
    }
}

/// Looks a recorded reply up.
struct RecordedReplyQuery: PostgresOptionalRowQuery {
    typealias Row = (number: Int64, reply: [UInt8])
    static let name = "recordedReply"
    static let command = "SELECT"
    static let sql = "SELECT number, reply FROM document_gateway.replies WHERE writer = $1::bytea"
    let session: [UInt8]

    func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
        try parameters.append(session)
    }

    static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> Row {
        (try row.decode(0), try row.decode(1))
    }
}

/// Records that a transaction was committed, as part of it.
struct RecordCommitQuery: PostgresCommand {
    static let name = "recordCommit"
    static let command = "INSERT"
    static let sql = """
        INSERT INTO document_gateway.replies AS r (writer, number, reply) VALUES ($1::bytea, $2::int8, '')
        ON CONFLICT (writer) DO UPDATE SET number = excluded.number, reply = excluded.reply, used = now()
        """
    let session: [UInt8]
    let number: Int64

    func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
        try parameters.append(session)
        try parameters.append(number)
    }
}
