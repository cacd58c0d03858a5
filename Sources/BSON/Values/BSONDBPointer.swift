/// A reference to a document of another collection.
///
/// Deprecated by the BSON specification.
public struct BSONDBPointer: Hashable, Sendable {
    /// The database and the collection, with a dot between them.
    public var namespace: String
    /// The document's identifier.
    public var id: ObjectID

    /// Takes namespace and identifier.
    ///
    /// - Parameters:
    ///   - namespace: The database and the collection, with a dot between them.
    ///   - id: The document's identifier.
    public init(namespace: String, id: ObjectID) {
        self.namespace = namespace
        self.id = id
    }
}
