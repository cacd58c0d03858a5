public import PersistenceCore

/// A name that people see: of a user or of a workspace.
///
/// White space at the ends is removed. A name has 1 to 200 Unicode scalars, counted as PostgreSQL's `char_length` counts
/// them, and no control characters: no line breaks, no NUL. Any script is welcome.
public struct DisplayName: Hashable, Sendable {
    /// How many Unicode scalars a name may have.
    public static let maximumLength = 200

    /// The text.
    public let text: String

    /// Reads a name.
    ///
    /// - Parameter text: The name, with or without white space around it.
    /// - Throws: `PersistenceError` with the code `invalidArgument`, saying which rule is broken and never quoting the
    ///   name.
    public init(_ text: String) throws(PersistenceError) {
        // A scalar takes at most four bytes; this keeps the cost of a huge text small.
        guard text.utf8.count <= 16 * Self.maximumLength else { throw Self.tooLong }
        var scalars = text.unicodeScalars[...]
        while let first = scalars.first, first.properties.isWhitespace { scalars.removeFirst() }
        while let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }

        guard !scalars.isEmpty else {
            throw PersistenceError(.invalidArgument, "the name is empty", operation: "DisplayName")
        }
        guard scalars.count <= Self.maximumLength else { throw Self.tooLong }
        guard !scalars.contains(where: { $0.properties.generalCategory == .control }) else {
            throw PersistenceError(.invalidArgument, "the name has a control character", operation: "DisplayName")
        }
        self.text = String(scalars)
    }

    /// A name as a store returned it, which was valid by the rules of the time it was written.
    package init(stored text: String) {
        self.text = text
    }

    private static var tooLong: PersistenceError {
        PersistenceError(
            .invalidArgument, "the name is longer than \(maximumLength) characters", operation: "DisplayName")
    }
}

extension DisplayName: Codable, CustomStringConvertible {
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
