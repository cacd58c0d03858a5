/// JavaScript source with the values of its variables.
///
/// Deprecated by the BSON specification.
public struct BSONJavaScriptWithScope: Hashable, Sendable {
    /// The source.
    public var code: String
    /// The variables' values.
    public var scope: Document

    /// Takes source and variables.
    ///
    /// - Parameters:
    ///   - code: The source.
    ///   - scope: The variables' values.
    public init(code: String, scope: Document) {
        self.code = code
        self.scope = scope
    }
}
