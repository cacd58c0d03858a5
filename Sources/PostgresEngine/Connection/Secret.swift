/// A text that descriptions, dumps and logs must not show, such as a password.
public struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    let value: String

    /// Hides a text.
    ///
    /// - Parameter value: The text.
    public init(_ value: String) {
        self.value = value
    }

    /// A placeholder.
    public var description: String { "<redacted>" }

    /// A placeholder.
    public var debugDescription: String { description }

    /// Hides the text from `dump` and from test failure output.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
