public import PersistenceCore

/// Names a system outside: a mail provider, a payment service.
///
/// It has 1 to 64 characters: lower-case ASCII letters, digits, `.`, `_` and `-`. A service declares its own as constants.
public struct IntegrationProvider: Hashable, Sendable, CustomStringConvertible {
    /// How many characters a name may have.
    public static let maximumLength = 64

    /// The name.
    public let name: String

    /// Reads a name.
    ///
    /// - Parameter name: The name.
    /// - Throws: `PersistenceError` with the code `invalidArgument` when the name has another form.
    public init(_ name: String) throws(PersistenceError) {
        let isSound = name.utf8.allSatisfy { Label.isAllowed($0) && !":/".utf8.contains($0) && !Self.isUpper($0) }
        guard (1...Self.maximumLength).contains(name.utf8.count), isSound else {
            throw PersistenceError(
                .invalidArgument,
                "a provider's name has 1 to \(Self.maximumLength) lower-case letters, digits and . _ -",
                operation: "IntegrationProvider")
        }
        self.name = name
    }

    /// A name as a store returned it, which was valid by the rules of the time it was written.
    package init(stored name: String) {
        self.name = name
    }

    /// The name.
    public var description: String { name }

    private static func isUpper(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }
}

extension IntegrationProvider: Codable {
    /// Reads and validates the name.
    public init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }

    /// Writes the name.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(name)
    }
}
