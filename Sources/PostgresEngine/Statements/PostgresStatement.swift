internal import PersistenceCore

/// A statement written where it is used, whose interpolated values become parameters.
///
/// ```swift
/// let age = 18
/// let statement: PostgresStatement = "SELECT id FROM users WHERE age >= \(age)"
/// // statement.sql == "SELECT id FROM users WHERE age >= $1"
/// ```
///
/// A value never becomes part of the SQL text. Names that vary are interpolated as identifiers, which are checked and
/// quoted: `"SELECT count(*) FROM \(identifier: table)"`.
public struct PostgresStatement: ExpressibleByStringInterpolation, Sendable {
    /// The SQL text with `$1`, `$2` … for parameters.
    public private(set) var sql: String

    /// A name for spans and errors; without one the SQL command stands in.
    public var name: String?

    var parameters: PostgresParameters

    /// Why a value or name was refused; thrown when the statement runs.
    var failure: PersistenceError?

    /// Creates a statement without parameters.
    ///
    /// - Parameter value: The SQL text.
    public init(stringLiteral value: String) {
        self.init(sql: value)
    }

    /// Creates a statement with parameters.
    ///
    /// - Parameter stringInterpolation: The text and its values.
    public init(stringInterpolation: StringInterpolation) {
        sql = stringInterpolation.sql
        parameters = stringInterpolation.parameters
        failure = stringInterpolation.failure ?? Self.refusal(of: sql)
    }

    /// Creates a statement from a text that was made at run time.
    ///
    /// - Parameters:
    ///   - sql: The SQL text with `$1`, `$2` … for parameters. It must not be built from values.
    ///   - parameters: The parameters, in the order of their numbers.
    public init(sql: String, parameters: PostgresParameters = PostgresParameters()) {
        self.sql = sql
        self.parameters = parameters
        failure = Self.refusal(of: sql)
    }

    /// A C string ends at its first NUL: the server would run what stands before it, a DELETE without its WHERE.
    private static func refusal(of sql: String) -> PersistenceError? {
        guard sql.containsNUL else { return nil }
        return PersistenceError(.invalidArgument, "the statement contains a NUL character")
    }

    /// Names the statement for spans and errors.
    ///
    /// - Parameter name: The name, such as `FindAdults`.
    /// - Returns: The named statement.
    public consuming func named(_ name: String) -> PostgresStatement {
        self.name = name
        return self
    }

    var key: StatementKey { .text(sql, parameters.items.map(\.type)) }

    /// Gathers the text and its values.
    public struct StringInterpolation: StringInterpolationProtocol, Sendable {
        var sql = ""
        var parameters = PostgresParameters()
        var failure: PersistenceError?

        /// Creates an empty interpolation.
        public init(literalCapacity: Int, interpolationCount: Int) {
            sql.reserveCapacity(literalCapacity + interpolationCount * 3)
        }

        /// Appends SQL text.
        public mutating func appendLiteral(_ literal: String) {
            sql += literal
        }

        /// Appends a parameter.
        public mutating func appendInterpolation<T: PostgresEncodable>(_ value: T) {
            append { (parameters) throws(PersistenceError) in try parameters.append(value) }
        }

        /// Appends a parameter that may be NULL.
        public mutating func appendInterpolation<T: PostgresEncodable>(_ value: T?) {
            append { (parameters) throws(PersistenceError) in try parameters.append(value) }
        }

        /// Appends a name, checked and quoted.
        ///
        /// - Parameter name: The name as the catalog has it.
        public mutating func appendInterpolation(identifier name: String) {
            do throws(PersistenceError) {
                sql += try PostgresIdentifier(name).quoted
            } catch {
                failure = failure ?? error
            }
        }

        /// Appends a name that has been checked already.
        ///
        /// - Parameter identifier: The name.
        public mutating func appendInterpolation(_ identifier: PostgresIdentifier) {
            sql += identifier.quoted
        }

        private mutating func append(_ encode: (inout PostgresParameters) throws(PersistenceError) -> Void) {
            do throws(PersistenceError) {
                try encode(&parameters)
            } catch {
                failure = failure ?? error
            }
            sql += "$\(parameters.count)"
        }
    }
}
