/// What an advisory lock is known by on the server: a number of 64 bits, or a name that the server makes one of.
///
/// A name becomes the first eight bytes of its SHA-256, which any other program can compute as well:
///
/// ```sql
/// SELECT ('x' || encode(substr(sha256(convert_to('name', 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint
/// ```
///
/// Keys belong to one database and are shared by all of its users.
public struct PostgresAdvisoryKey: Hashable, Sendable {
    enum Value: Hashable, Sendable {
        case number(Int64)
        case name(String)
    }

    let value: Value

    /// A key that is a number.
    ///
    /// - Parameter number: The number.
    public init(_ number: Int64) {
        value = .number(number)
    }

    /// A key that is a name, of any length.
    ///
    /// - Parameter name: The name, compared byte by byte of its UTF-8.
    public init(_ name: String) {
        value = .name(name)
    }
}

extension PostgresAdvisoryKey: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    /// A key that is a name.
    public init(stringLiteral value: String) {
        self.init(value)
    }

    /// A key that is a number.
    public init(integerLiteral value: Int64) {
        self.init(value)
    }
}

/// Whom an advisory lock keeps out.
@nonexhaustive
public enum PostgresLockMode: Sendable, Hashable, CaseIterable {
    /// Everybody else.
    case exclusive
    /// Those who want it for themselves alone.
    case shared
}
