/// Fields of no fixed shape, as document stores keep them.
///
/// ```swift
/// let payload: Payload = ["model": "m-1", "tokens": 812, "tags": ["a", "b"], "cost": ["amount": 0.02]]
/// let tokens = payload["tokens"]?.integerValue
/// ```
///
/// The order of fields means nothing: two payloads are equal when they have the same fields.
///
/// A repository that is given a payload checks it with ``check(operation:)``.
public struct Payload: Hashable, Sendable {
    /// How many bytes a payload may take as BSON (bsonspec.org, version 1.1), the form in which MongoDB keeps it.
    ///
    /// A document has at most 16 MiB there; this leaves room for the fields around the payload.
    public static let maximumSize = 8 * 1024 * 1024

    /// How deep lists and objects may be nested; MongoDB takes 100 levels, which include those around the payload.
    public static let maximumDepth = 64

    /// The fields by name.
    public var fields: [String: PayloadValue]

    /// Creates a payload.
    ///
    /// - Parameter fields: The fields by name.
    public init(_ fields: [String: PayloadValue] = [:]) {
        self.fields = fields
    }

    /// Whether there are no fields.
    public var isEmpty: Bool { fields.isEmpty }

    /// A field's value; `nil` when there is no such field, ``PayloadValue/null`` when it has no value.
    ///
    /// - Parameter name: The field's name.
    public subscript(name: String) -> PayloadValue? {
        get { fields[name] }
        set { fields[name] = newValue }
    }

    /// The payload with the fields of another put over its own.
    ///
    /// - Parameter other: The fields that win, each as a whole: objects are replaced and not merged.
    /// - Returns: The payload with both fields.
    public func merging(_ other: Payload) -> Payload {
        Payload(fields.merging(other.fields) { $1 })
    }
}

extension Payload: ExpressibleByDictionaryLiteral {
    /// Fields by name; of several with one name the last counts.
    public init(dictionaryLiteral elements: (String, PayloadValue)...) {
        self.init(Dictionary(elements) { $1 })
    }
}

extension Payload: CustomStringConvertible, CustomReflectable {
    /// How many fields there are, and none of their names or values.
    public var description: String { "object with \(fields.count) field\(fields.count == 1 ? "" : "s")" }

    /// A mirror without children.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
