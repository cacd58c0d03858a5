import PersistenceCore
import PostgresEngine

/// A truth value that is the other one when it is sent.
struct Changing: PostgresEncodable, PostgresDecodable, Equatable {
    let value: Bool

    static var postgresType: PostgresType { .bool }

    static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> Changing {
        Changing(value: try Bool.decode(value))
    }

    func encode(into writer: inout PostgresWriter) throws(PersistenceError) {
        (!value).encode(into: &writer)
    }
}
