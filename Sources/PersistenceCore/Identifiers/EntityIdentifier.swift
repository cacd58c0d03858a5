#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// An identifier of one kind of entity: a UUID with a type of its own, so that a user's cannot be passed as a workspace's.
///
/// A conforming type stores the UUID and nothing else:
///
/// ```swift
/// struct InvoiceID: EntityIdentifier {
///     let rawValue: UUID
///     init(rawValue: UUID) { self.rawValue = rawValue }
/// }
/// ```
///
/// Identifiers are encoded as their UUID alone, and ordered as PostgreSQL orders `uuid`: by their bytes.
public protocol EntityIdentifier: RawRepresentable, Hashable, Comparable, Sendable, Codable, LosslessStringConvertible,
    PageKey
where RawValue == UUID {
    /// Creates an identifier from a UUID that exists already.
    ///
    /// - Parameter rawValue: The UUID.
    init(rawValue: UUID)
}

extension EntityIdentifier {
    /// Makes a new identifier, a UUID of version 7 from the process's generator.
    public init() {
        self.init(rawValue: .version7())
    }

    /// Makes a new identifier.
    ///
    /// - Parameter generator: Makes the UUID.
    public init(generatedBy generator: UUIDVersion7Generator) {
        self.init(rawValue: generator.next())
    }

    /// Reads an identifier from the 36 characters of a UUID.
    ///
    /// - Parameter description: The text; anything else gives `nil`.
    public init?(_ description: String) {
        guard let uuid = UUID(uuidString: description) else { return nil }
        self.init(rawValue: uuid)
    }

    /// The UUID in lower case, as PostgreSQL writes it.
    public var description: String { rawValue.uuidString.lowercased() }

    /// Orders identifiers by their bytes.
    public static func < (left: Self, right: Self) -> Bool {
        left.rawValue.words < right.rawValue.words
    }

    /// The UUID, as a cursor carries it.
    public var pageKeyValue: PageKeyValue { rawValue.pageKeyValue }

    /// The identifier that a cursor carries.
    ///
    /// - Parameter pageKeyValue: What the cursor carries.
    public init?(pageKeyValue: PageKeyValue) {
        guard let uuid = UUID(pageKeyValue: pageKeyValue) else { return nil }
        self.init(rawValue: uuid)
    }

    /// Reads the UUID.
    public init(from decoder: any Decoder) throws {
        self.init(rawValue: try decoder.singleValueContainer().decode(UUID.self))
    }

    /// Writes the UUID.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}

extension UUID {
    /// The bytes as two numbers, which compare as the bytes do.
    fileprivate var words: (UInt64, UInt64) {
        withUnsafeBytes(of: uuid) { bytes in
            (
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
    }
}
