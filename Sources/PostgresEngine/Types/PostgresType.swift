/// A PostgreSQL data type, known by its object identifier.
///
/// The identifiers of built-in types are the same in every database (`pg_type.dat`); those of enums, composites, domains
/// and types of extensions differ between databases, so parameters of such types are sent as ``unspecified`` and the
/// server infers the type from the statement.
public struct PostgresType: Hashable, Sendable {
    /// The object identifier in `pg_type`; 0 leaves the choice to the server.
    public var oid: UInt32

    /// Creates a type.
    ///
    /// - Parameter oid: The object identifier in `pg_type`.
    @inlinable
    public init(oid: UInt32) {
        self.oid = oid
    }

    /// No type of its own: the server infers it from the statement.
    @inlinable public static var unspecified: PostgresType { PostgresType(oid: 0) }
}

/// How a value travels: PostgreSQL's text or binary representation.
public enum PostgresFormat: Int32, Hashable, Sendable {
    /// The representation that `psql` shows.
    case text = 0
    /// The type's binary representation, integers in network byte order.
    case binary = 1
}
