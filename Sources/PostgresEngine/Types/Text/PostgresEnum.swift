public import PersistenceCore

/// A Swift enumeration for a PostgreSQL enum: its raw values are the labels.
///
/// ```swift
/// enum MemberRole: String, PostgresEnum { case owner, editor, viewer }
/// ```
///
/// The identifiers of enums differ between databases, so parameters are sent as text and the server infers the type; a
/// column of type `text` works as well.
public protocol PostgresEnum: RawRepresentable<String>, PostgresElement, Sendable {}

extension PostgresEnum {
    /// Reads a label.
    ///
    /// - Parameter value: The value.
    /// - Returns: The case.
    /// - Throws: ``PersistenceError`` with the code `decoding` when the column is of another type, or when the Swift type has
    ///   no case for the label; the label is not part of the error.
    public static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> Self {
        guard value.format == .text || canDecode(value.type) else { throw value.unreadable(as: Self.self) }
        guard let result = Self(rawValue: try String.decode(value)) else {
            throw PersistenceError(.decoding, "\(Self.self) has no case for the label that was found")
        }
        return result
    }
}
