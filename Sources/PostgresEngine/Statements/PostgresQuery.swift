public import PersistenceCore

/// A statement with a name, typed parameters and a typed output, known before the program runs.
///
/// Generated code conforms through one of the refinements, which say what shape the output has:
/// ``PostgresRowsQuery`` (all rows), ``PostgresRowQuery`` (exactly one), ``PostgresOptionalRowQuery`` (at most one),
/// ``PostgresCommand`` (none) and ``PostgresCountedCommand`` (the number of rows affected).
public protocol PostgresQuery: Sendable {
    /// What running the query returns.
    associatedtype Output

    /// The query's name, such as `GetUserByEmail`: the name of its spans and the `operation` of its errors.
    static var name: String { get }

    /// The SQL text with `$1`, `$2` … for parameters.
    static var sql: String { get }

    /// The SQL command, such as `SELECT`, for `db.operation.name`.
    static var command: String { get }

    /// The table that the query is about, for `db.collection.name`.
    static var collection: String? { get }

    /// Appends the parameters in the order of their numbers.
    ///
    /// - Parameter parameters: Takes the values.
    /// - Throws: ``PersistenceError`` with the code `encoding` when PostgreSQL's type cannot hold a value.
    func bind(to parameters: inout PostgresParameters) throws(PersistenceError)

    /// Makes the output of a complete result.
    ///
    /// - Parameter result: The result, lent for the duration of the call.
    /// - Returns: The output.
    /// - Throws: ``PersistenceError`` when the rows are too few, too many, or cannot be decoded.
    static func output(of result: borrowing PostgresResult) throws(PersistenceError) -> Output
}

extension PostgresQuery {
    /// Unknown, unless the query says otherwise.
    public static var collection: String? { nil }

    /// No parameters, unless the query says otherwise.
    public func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {}
}

/// A query whose rows have a type.
public protocol PostgresDecodingQuery: PostgresQuery {
    /// What one row becomes.
    associatedtype Row

    /// Makes a row.
    ///
    /// - Parameter row: The row, lent for the duration of the call.
    /// - Returns: The decoded row.
    /// - Throws: ``PersistenceError`` with the code `decoding`.
    static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> Row
}

/// A query that returns every row.
public protocol PostgresRowsQuery: PostgresDecodingQuery where Output == [Row] {}

/// A query that returns exactly one row: none is `notFound`, more are `tooManyRows`.
public protocol PostgresRowQuery: PostgresDecodingQuery where Output == Row {}

/// A query that returns at most one row: more are `tooManyRows`.
public protocol PostgresOptionalRowQuery: PostgresDecodingQuery where Output == Row? {}

/// A command that returns nothing.
public protocol PostgresCommand: PostgresQuery where Output == Void {}

/// A command that returns how many rows it affected.
public protocol PostgresCountedCommand: PostgresQuery where Output == Int {}

extension PostgresRowsQuery {
    /// Every row, decoded.
    @inlinable
    public static func output(of result: borrowing PostgresResult) throws(PersistenceError) -> [Row] {
        try result.rows(decodedBy: decode)
    }
}

extension PostgresRowQuery {
    /// The only row, decoded.
    @inlinable
    public static func output(of result: borrowing PostgresResult) throws(PersistenceError) -> Row {
        guard let row = try result.onlyRow(decodedBy: decode) else { throw PersistenceError(.notFound) }
        return row
    }
}

extension PostgresOptionalRowQuery {
    /// The only row, decoded, or `nil`.
    @inlinable
    public static func output(of result: borrowing PostgresResult) throws(PersistenceError) -> Row? {
        try result.onlyRow(decodedBy: decode)
    }
}

extension PostgresCommand {
    /// Nothing.
    @inlinable
    public static func output(of result: borrowing PostgresResult) throws(PersistenceError) {}
}

extension PostgresCountedCommand {
    /// How many rows were affected.
    @inlinable
    public static func output(of result: borrowing PostgresResult) throws(PersistenceError) -> Int {
        result.affectedRows
    }
}
