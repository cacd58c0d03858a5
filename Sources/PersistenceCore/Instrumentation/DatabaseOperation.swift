/// What an engine is about to do, as telemetry describes it.
///
/// The strings must be of low cardinality and free of values: they become span names and metric dimensions. Only
/// ``queryText`` is recorded apart, by ``Instrumentation/Options/queryText``.
public struct DatabaseOperation: Sendable {
    /// The kind of work.
    public var kind: Kind
    /// The server and namespace it goes to.
    public var target: DatabaseTarget
    /// `db.operation.name`: the command, such as `SELECT` or `findAndModify`.
    ///
    /// The name is never parsed out of a statement's text: a generated query knows it. Without one, ``Kind`` has a name
    /// for the kinds that always do the same.
    public var name: String?
    /// `db.query.summary`, which is also the span's name: the name of a query, such as `GetUserByEmail`.
    public var summary: String?
    /// `db.collection.name`: the table or collection that the operation is about.
    public var collection: String?
    /// `db.stored_procedure.name`: the function or procedure that is called.
    public var storedProcedure: String?
    /// `db.query.text`: the statement with placeholders for its values.
    public var queryText: String?
    /// Whether ``queryText`` was written by hand with values in it, as a script is, and not with placeholders.
    public var queryTextMayHoldValues: Bool
    /// `db.operation.batch.size`: how many statements a batch has; recorded from two on.
    public var batchSize: Int?

    /// Describes an operation.
    ///
    /// Empty strings count as none.
    ///
    /// - Parameters:
    ///   - kind: The kind of work.
    ///   - target: The server and namespace it goes to.
    ///   - name: The command, such as `SELECT`.
    ///   - summary: The name of a query, such as `GetUserByEmail`.
    ///   - collection: The table or collection that the operation is about.
    ///   - storedProcedure: The function or procedure that is called.
    ///   - queryText: The statement.
    ///   - queryTextMayHoldValues: Whether the statement may hold values, and not placeholders alone.
    ///   - batchSize: How many statements a batch has.
    public init(
        _ kind: Kind,
        on target: DatabaseTarget,
        name: String? = nil,
        summary: String? = nil,
        collection: String? = nil,
        storedProcedure: String? = nil,
        queryText: String? = nil,
        queryTextMayHoldValues: Bool = false,
        batchSize: Int? = nil
    ) {
        self.kind = kind
        self.target = target
        self.name = name.nonEmpty
        self.summary = summary.nonEmpty
        self.collection = collection.nonEmpty
        self.storedProcedure = storedProcedure.nonEmpty
        self.queryText = queryText.nonEmpty
        self.queryTextMayHoldValues = queryTextMayHoldValues
        self.batchSize = batchSize
    }

    /// The recorded `db.operation.name`: the operation's own, or its kind's.
    public var operationName: String? { name ?? kind.defaultName }

    /// The name of the operation's span.
    ///
    /// The summary; else the operation's name and its target; else the target; else the system. The target is the first
    /// of collection, stored procedure, namespace and `address:port` that is known. Source: "Name" in the OpenTelemetry
    /// conventions for database client spans.
    public var spanName: String {
        if let summary { return summary }
        let place = collection ?? storedProcedure ?? target.namespace ?? target.server
        guard let operationName else { return place ?? target.system.name }
        guard let place else { return operationName }
        return "\(operationName) \(place)"
    }
}
