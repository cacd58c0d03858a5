public import PersistenceCore

/// The path of a field: `status`, or `address.city` for one within another.
///
/// A path decides what a query does, so a text that came from outside must not become one by accident: a literal in the
/// source is a path, any other text only by ``init(validating:)``.
public struct FieldPath: Sendable, Hashable {
    /// The path's text.
    public let text: String

    /// Takes a path that stands in the source.
    ///
    /// - Parameter path: The path. Paths of updates may name elements of arrays: `items.$[paid].count`.
    public init(_ path: StaticString) {
        text = path.description
    }

    /// Checks a text and takes it as a path.
    ///
    /// - Parameter text: The path.
    /// - Throws: ``PersistenceError`` with the code `invalidArgument` when the text is empty, has an empty part, holds a
    ///   NUL, or has a part that begins with a dollar sign, which MongoDB takes for an operator.
    public init(validating text: String) throws(PersistenceError) {
        func refuse(_ reason: String) -> PersistenceError {
            PersistenceError(.invalidArgument, "the field's path \(reason)")
        }
        if text.isEmpty { throw refuse("is empty") }
        if text.utf8.contains(0) { throw refuse("holds a NUL character") }
        for part in text.split(separator: ".", omittingEmptySubsequences: false) {
            if part.isEmpty { throw refuse("has an empty part") }
            if part.utf8.first == UInt8(ascii: "$") { throw refuse("has a part that begins with a dollar sign") }
        }
        self.text = text
    }

    private init(trusted text: String) {
        self.text = text
    }

    /// The path of a field within this one.
    ///
    /// - Parameter path: The path from here on.
    /// - Returns: Both, joined by a dot.
    public func appending(_ path: FieldPath) -> FieldPath {
        FieldPath(trusted: "\(text).\(path.text)")
    }
}

extension FieldPath: ExpressibleByStringLiteral {
    /// Takes a path that stands in the source.
    public init(stringLiteral value: StaticString) {
        self.init(value)
    }
}

extension FieldPath: CustomStringConvertible {
    /// The path's text.
    public var description: String { text }
}
