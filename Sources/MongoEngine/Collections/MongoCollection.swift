internal import PersistenceCore

/// A collection of documents, each decoded into an `Element`.
///
/// ```swift
/// let orders = try database.collection("orders", of: Order.self)
/// try await orders.insertOne(order)
/// for try await order in orders.find(Field("status") == "paid", sort: .descending("placedAt")) { … }
/// ```
///
/// A value that names a collection and holds nothing: making one sends nothing. Bound to a database it may be used by any
/// number of tasks at the same time; bound to a session (``MongoSession/collection(_:of:)``) until the session ends, one
/// operation after the other.
///
/// An element without `_id` gets an ``BSON/ObjectID`` when it is inserted.
public struct MongoCollection<Element: Codable & Sendable>: Sendable {
    /// The collection's name.
    public let name: String

    let core: MongoCore
    let session: SessionScope?

    init(name: String, core: MongoCore, session: SessionScope?) throws(PersistenceError) {
        if let reason = MongoNamespace.faultInCollection(name, database: core.configuration.database) {
            throw PersistenceError(.invalidArgument, "the collection's name \(reason)")
        }
        self.name = name
        self.core = core
        self.session = session
    }

    /// The database and the collection: `app.orders`.
    public var namespace: String { "\(core.configuration.database).\(name)" }

    /// The same collection with its documents decoded into another type.
    ///
    /// - Parameter type: The type.
    /// - Returns: The collection.
    public func decoding<Other: Codable & Sendable>(as type: Other.Type) -> MongoCollection<Other> {
        MongoCollection<Other>(sharing: self)
    }

    private init<Other>(sharing other: MongoCollection<Other>) {
        name = other.name
        core = other.core
        session = other.session
    }

    func operation(
        _ name: String, isWrite: Bool = false, isMulti: Bool = false, batchSize: Int? = nil
    ) -> MongoOperation {
        MongoOperation(name, on: self.name, isWrite: isWrite, isMulti: isMulti, batchSize: batchSize)
    }
}
