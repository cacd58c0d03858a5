public import Configuration

/// A password or key that never shows itself.
///
/// `description`, `debugDescription`, string interpolation, `dump`, mirrors and encoders see `<redacted>`. The text itself
/// comes out through ``reveal()`` alone, which is easy to search for.
public struct Secret: Sendable, Equatable {
    private let text: String

    /// Wraps a secret text.
    ///
    /// - Parameter text: The text, which may be empty.
    public init(_ text: String) {
        self.text = text
    }

    /// The secret text, to be handed to what needs it and kept nowhere else.
    ///
    /// - Returns: The text.
    public func reveal() -> String { text }

    /// Whether there is no text.
    public var isEmpty: Bool { text.isEmpty }

    /// What stands in the place of a secret.
    public static let redacted = "<redacted>"
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Always ``redacted``.
    public var description: String { Self.redacted }

    /// Always ``redacted``.
    public var debugDescription: String { Self.redacted }

    /// A mirror without children.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}

extension Secret: Codable {
    /// Reads a secret from a document.
    ///
    /// - Parameter decoder: The decoder.
    /// - Throws: `DecodingError` when there is no string, or when it is ``redacted``: what was encoded is not a secret.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard text != Self.redacted else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "the secret was redacted")
        }
        self.init(text)
    }

    /// Writes ``redacted``.
    ///
    /// - Parameter encoder: The encoder.
    /// - Throws: What the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(Self.redacted)
    }
}

extension Secret: ExpressibleByConfigString {
    /// Reads a secret from a configuration.
    ///
    /// - Parameter configString: The text.
    public init?(configString: String) {
        self.init(configString)
    }
}

extension ConfigReader {
    /// Reads a secret, so that neither a reporter of accesses nor a log of the configuration shows it.
    ///
    /// - Parameter key: The key.
    /// - Returns: The secret, or nil when there is none.
    public func secret(forKey key: ConfigKey) -> Secret? {
        string(forKey: key, as: Secret.self, isSecret: true)
    }
}
