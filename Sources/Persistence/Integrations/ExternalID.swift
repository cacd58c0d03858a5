public import PersistenceCore

/// What a system outside calls one of its things: an opaque text, compared byte by byte.
///
/// It has 1 to 512 bytes of UTF-8 and no U+0000, so that it fits the key of an index everywhere.
public struct ExternalID: Hashable, Comparable, Sendable {
    /// How many bytes an identifier may have.
    public static let maximumSize = 512

    /// The text.
    public let text: String

    /// Reads an identifier.
    ///
    /// - Parameter text: The text, kept as it is.
    /// - Throws: `PersistenceError` with the code `invalidArgument` when it is empty, too long or contains U+0000. The
    ///   error does not quote it.
    public init(_ text: String) throws(PersistenceError) {
        guard (1...Self.maximumSize).contains(text.utf8.count), !text.utf8.contains(0) else {
            throw PersistenceError(
                .invalidArgument, "an external identifier has 1 to \(Self.maximumSize) bytes, none of them zero",
                operation: "ExternalID")
        }
        self.text = text
    }

    /// An identifier as a store returned it, which was valid by the rules of the time it was written.
    package init(stored text: String) {
        self.text = text
    }

    // Swift's strings are equal when they are canonically equivalent; databases compare bytes.

    /// Whether two identifiers have the same bytes.
    public static func == (left: ExternalID, right: ExternalID) -> Bool {
        left.text.utf8.elementsEqual(right.text.utf8)
    }

    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) {
        for byte in text.utf8 { hasher.combine(byte) }
        hasher.combine(0xFF as UInt8)
    }

    /// Orders identifiers by their bytes.
    public static func < (left: ExternalID, right: ExternalID) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }
}

extension ExternalID: Codable, CustomStringConvertible {
    /// The text.
    ///
    /// It can identify a person: keep it out of logs and errors.
    public var description: String { text }

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
