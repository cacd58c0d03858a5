public import PersistenceCore

/// A short name for programs: the kind of an activity or event, the code of a failure, the name of a worker.
///
/// It has 1 to 128 characters: ASCII letters, digits and `.`, `_`, `-`, `:`, `/`. A service declares its own as constants:
///
/// ```swift
/// let summarise = try Label("text.summarise")
/// ```
public struct Label: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// How many characters a label may have.
    public static let maximumLength = 128

    /// The text.
    public let text: String

    /// Reads a label.
    ///
    /// - Parameter text: The text.
    /// - Throws: `PersistenceError` with the code `invalidArgument` when the text has another form. The error does not quote
    ///   it.
    public init(_ text: String) throws(PersistenceError) {
        guard (1...Self.maximumLength).contains(text.utf8.count), text.utf8.allSatisfy(Self.isAllowed) else {
            throw PersistenceError(
                .invalidArgument, "a label has 1 to \(Self.maximumLength) letters, digits and . _ - : /",
                operation: "Label")
        }
        self.text = text
    }

    /// A label as a store returned it, which was valid by the rules of the time it was written.
    package init(stored text: String) {
        self.text = text
    }

    /// The text.
    public var description: String { text }

    /// Orders labels by their bytes.
    public static func < (left: Label, right: Label) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }

    static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: ".-_:/".utf8.contains(byte)
        }
    }
}

extension Label: Codable {
    /// Reads and validates the text.
    public init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }

    /// Writes the text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
