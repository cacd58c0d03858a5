public import PersistenceCore

/// The result of a function that returns `void`.
public struct PostgresVoid: Hashable, Sendable {
    /// Creates the only value.
    public init() {}
}

extension PostgresVoid: PostgresDecodable {
    /// Reads `void`.
    public static func canDecode(_ type: PostgresType) -> Bool { type == .void }

    /// Reads `void`, in either format.
    public static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> PostgresVoid {
        guard canDecode(value.type), value.count == 0 else { throw value.unreadable(as: PostgresVoid.self) }
        return PostgresVoid()
    }
}
