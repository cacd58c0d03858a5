/// A place in a list, named by the keys of the item beside it.
///
/// A client gets it as an opaque ``token`` and sends it back to go on. The token can stand in a URL as it is.
///
/// A token is checked, not signed: a damaged one, or one of another list, is refused, but a client that knows the
/// format can make one. That does no harm, because the keys only say where to go on, and reach the database as
/// parameters: what the caller may see is for the query's other conditions to say.
public struct PageCursor: Hashable, Sendable {
    /// Which way to go on.
    public enum Direction: UInt8, Hashable, Sendable {
        /// To the items after the place.
        case forward
        /// To the items before it.
        case backward
    }

    /// The largest length of a token, in characters.
    ///
    /// Servers and proxies refuse long URLs, many from 8,000 characters on.
    public static let maximumTokenLength = 2048

    /// The list's name, with its order: a place in one list means nothing in another.
    public let listing: String
    /// Which way to go on.
    public let direction: Direction
    /// The keys, in the order that the list is sorted by.
    public let keys: [PageKeyValue]
    /// The cursor as an opaque text of letters, digits, `-` and `_`.
    public let token: String

    /// Names a place.
    ///
    /// - Parameters:
    ///   - listing: The list's name with its order, such as `users.newest`.
    ///   - keys: The keys of the item beside the place; the last one must be unique in the list.
    ///   - direction: Which way to go on.
    /// - Throws: `invalidArgument` without a name or keys; `tooLarge` when the token would be too long.
    public init(
        listing: String,
        keys: [any PageKey],
        direction: Direction = .forward
    ) throws(PersistenceError) {
        guard !listing.isEmpty, !keys.isEmpty else {
            throw PersistenceError(.invalidArgument, "a page cursor needs the name of a list and at least one key")
        }
        self.listing = listing
        self.direction = direction
        self.keys = keys.map(\.pageKeyValue)
        self.token = try PageToken.encode(listing: listing, direction: direction, keys: self.keys)
    }

    /// Reads a token that a client has sent back.
    ///
    /// - Parameter token: The token.
    /// - Throws: `invalidArgument` when it is too long, malformed, damaged, or made by another version of the library.
    public init(token: String) throws(PersistenceError) {
        (listing, direction, keys) = try PageToken.decode(token)
        self.token = token
    }

    /// The keys as values of the types that the list is sorted by.
    ///
    /// ```swift
    /// let (createdAt, id) = try cursor.values(of: "users.newest", Date.self, UUID.self)
    /// ```
    ///
    /// - Parameters:
    ///   - listing: The name of the list that is read.
    ///   - type: The types of the keys.
    /// - Returns: The keys.
    /// - Throws: `invalidArgument` when the cursor is of another list, or has other keys.
    public func values<each Key: PageKey>(
        of listing: String,
        _ type: repeat (each Key).Type
    ) throws(PersistenceError) -> (repeat each Key) {
        guard listing == self.listing else {
            throw PersistenceError(.invalidArgument, "the page token is of another list")
        }
        var count = 0
        for _ in repeat (each Key).self {
            count += 1
        }
        guard count == keys.count else { throw Self.otherKeys }
        var position = 0
        return (repeat try key((each Key).self, at: &position))
    }

    private func key<Key: PageKey>(_ type: Key.Type, at position: inout Int) throws(PersistenceError) -> Key {
        defer { position += 1 }
        guard let key = Key(pageKeyValue: keys[position]) else { throw Self.otherKeys }
        return key
    }

    private static var otherKeys: PersistenceError {
        PersistenceError(.invalidArgument, "the page token has other keys than the list is sorted by")
    }
}

extension PageCursor: CustomStringConvertible, CustomReflectable {
    /// The list and the types of the keys, and no values.
    public var description: String {
        "\(listing) \(direction) from \(keys.map(\.description).joined(separator: ", "))"
    }

    /// A mirror without children: the token holds the keys.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}

extension PageCursor: Codable {
    /// Reads a token.
    ///
    /// - Parameter decoder: The decoder.
    /// - Throws: `DecodingError` when there is no text, or no token in it.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let token = try container.decode(String.self)
        do throws(PersistenceError) {
            try self.init(token: token)
        } catch {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: error.summary)
        }
    }

    /// Writes the token.
    ///
    /// - Parameter encoder: The encoder.
    /// - Throws: What the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(token)
    }
}
