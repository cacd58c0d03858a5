public import PersistenceCore

/// What runs statements: a database (each on a connection of its pool), a connection, or a transaction.
///
/// Repositories are generic over it, so that the same code serves all three. Only the library's own types conform.
public protocol PostgresExecutor {
    /// Lends a connection for one operation; the end of the lease's life gives it back.
    ///
    /// - Returns: The lease.
    /// - Throws: ``PersistenceError``: `timeout` (pool), `poolExhausted`, `poolClosed`, `cancelled`, any error of
    ///   connecting, or `transactionFinished` when the scope of a connection or transaction has ended.
    func lease() async throws(PersistenceError) -> PostgresLease

    /// Lends a connection when nothing has to be waited for, which spares a query the cost of an asynchronous call.
    ///
    /// - Returns: The lease; `nil` when ``lease()`` must find one, or find out why there is none.
    func leaseIfReady() -> PostgresLease?
}

extension PostgresExecutor {
    /// Runs a query and returns what its type promises.
    ///
    /// - Parameter query: The query with its parameters.
    /// - Returns: The output.
    /// - Throws: ``PersistenceError`` whose operation is the query's name.
    @inlinable
    public func run<Query: PostgresQuery>(_ query: Query) async throws(PersistenceError) -> Query.Output {
        // Inlined, so that binding and decoding are specialized for the query in the module that it comes from.
        do throws(PersistenceError) {
            let lease = if let ready = leaseIfReady() { ready } else { try await lease() }
            let span = lease.begin(Query.self)
            do throws(PersistenceError) {
                let result = try await lease.execute(.query(ObjectIdentifier(Query.self)), sql: Query.sql) {
                    (parameters) throws(PersistenceError) in try query.bind(to: &parameters)
                }
                // The result is complete, so the connection may serve the next task while this one decodes.
                lease.end()
                let output = try Query.output(of: result)
                span?.end(rows: result.count)
                return output
            } catch {
                span?.end(throwing: error)
                throw error
            }
        } catch {
            throw error.with { $0.operation = $0.operation ?? Query.name }
        }
    }

    /// Runs a statement for its effect.
    ///
    /// - Parameter statement: The statement; interpolated values become parameters.
    /// - Returns: How many rows were affected.
    /// - Throws: ``PersistenceError``.
    @discardableResult
    public func execute(_ statement: PostgresStatement) async throws(PersistenceError) -> Int {
        try await result(of: statement).affectedRows
    }

    /// Runs a statement and returns every row, decoded by position.
    ///
    /// ```swift
    /// let users = try await database.all("SELECT id, email FROM users", as: (UUID, String).self)
    /// ```
    ///
    /// - Parameters:
    ///   - statement: The statement; interpolated values become parameters.
    ///   - type: The type of a row: one Swift type for each column, optional where NULL may come.
    /// - Returns: The rows in the server's order.
    /// - Throws: ``PersistenceError``.
    public func all<each Column: PostgresDecodable>(
        _ statement: PostgresStatement, as type: (repeat each Column).Type
    ) async throws(PersistenceError) -> [(repeat each Column)] {
        let result = try await result(of: statement)
        return try statement.naming { () throws(PersistenceError) in try result.rows(decodedBy: decodeColumns) }
    }

    /// Runs a statement and returns its first row, or `nil`; further rows are ignored.
    ///
    /// - Parameters:
    ///   - statement: The statement; interpolated values become parameters.
    ///   - type: The type of a row.
    /// - Returns: The first row.
    /// - Throws: ``PersistenceError``.
    public func first<each Column: PostgresDecodable>(
        _ statement: PostgresStatement, as type: (repeat each Column).Type
    ) async throws(PersistenceError) -> (repeat each Column)? {
        let result = try await result(of: statement)
        return try statement.naming { () throws(PersistenceError) in try result.firstRow(decodedBy: decodeColumns) }
    }

    /// Runs a statement and returns its only row, or `nil`.
    ///
    /// - Parameters:
    ///   - statement: The statement; interpolated values become parameters.
    ///   - type: The type of a row.
    /// - Returns: The row.
    /// - Throws: ``PersistenceError``; the code is `tooManyRows` when there is more than one row.
    public func optional<each Column: PostgresDecodable>(
        _ statement: PostgresStatement, as type: (repeat each Column).Type
    ) async throws(PersistenceError) -> (repeat each Column)? {
        let result = try await result(of: statement)
        return try statement.naming { () throws(PersistenceError) in try result.onlyRow(decodedBy: decodeColumns) }
    }

    /// Runs a statement and returns its only row.
    ///
    /// - Parameters:
    ///   - statement: The statement; interpolated values become parameters.
    ///   - type: The type of a row.
    /// - Returns: The row.
    /// - Throws: ``PersistenceError``; the code is `notFound` when there is no row, `tooManyRows` when there are more.
    public func one<each Column: PostgresDecodable>(
        _ statement: PostgresStatement, as type: (repeat each Column).Type
    ) async throws(PersistenceError) -> (repeat each Column) {
        guard let row = try await optional(statement, as: type) else {
            throw PersistenceError(.notFound, operation: statement.operationName)
        }
        return row
    }

    /// Runs a statement and lends its complete result, for columns that are known only at run time.
    ///
    /// - Parameter statement: The statement; interpolated values become parameters.
    /// - Returns: The result, owned by the caller.
    /// - Throws: ``PersistenceError``.
    public func result(of statement: PostgresStatement) async throws(PersistenceError) -> PostgresResult {
        do throws(PersistenceError) {
            if let failure = statement.failure { throw failure }
            let lease = if let ready = leaseIfReady() { ready } else { try await lease() }
            let command = StatementText.command(of: statement.sql)
            guard command != "COPY" else {
                throw PersistenceError(.invalidArgument, "COPY runs through copyIn and copyOut")
            }
            if self is PostgresDatabase || lease.transaction != nil,
                let refusal = StatementText.refusalOfTransactionControl(statement.sql)
            {
                throw refusal
            }
            let span = lease.begin(.query, name: command, summary: statement.name, text: statement.sql)
            do throws(PersistenceError) {
                let result = try await lease.execute(statement.key, sql: statement.sql) {
                    (parameters) throws(PersistenceError) in parameters = statement.parameters
                }
                lease.end()
                span?.end(rows: result.count)
                return result
            } catch {
                span?.end(throwing: error)
                throw error
            }
        } catch {
            throw error.with { $0.operation = $0.operation ?? statement.operationName }
        }
    }
}

/// Decodes one Swift type for each column, by position.
func decodeColumns<each Column: PostgresDecodable>(
    _ row: borrowing PostgresRow
) throws(PersistenceError) -> (repeat each Column) {
    var column = 0
    func next<T: PostgresDecodable>(_ type: T.Type) throws(PersistenceError) -> T {
        defer { column += 1 }
        return try row.decode(column, as: type)
    }
    return (repeat try next((each Column).self))
}

extension PostgresStatement {
    /// What errors and spans call the statement; `nil` when it has no name and no command, as an empty one.
    var operationName: String? {
        let name = name ?? StatementText.command(of: sql)
        return name.isEmpty ? nil : name
    }

    /// Gives the errors of `body` the statement's name.
    func naming<Result>(_ body: () throws(PersistenceError) -> Result) throws(PersistenceError) -> Result {
        do throws(PersistenceError) {
            return try body()
        } catch {
            throw error.with { $0.operation = $0.operation ?? operationName }
        }
    }
}
