public import Tracing

extension Instrumentation {
    /// The bounds, in seconds, of the histogram `db.client.operation.duration`.
    ///
    /// Source: "Metric: `db.client.operation.duration`" in the OpenTelemetry conventions for database client metrics.
    /// swift-metrics has no way to hand bounds to a backend, so give these to the backend when it is set up, for
    /// ``Metric/operationDuration`` and for the durations of the pool. A backend that is not told keeps its own, which
    /// for OpenTelemetry's default (0, 5, 10, 25 … 10000) puts nearly every operation into one bucket.
    public static let durationBuckets: [Double] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]

    /// The attributes of the OpenTelemetry database conventions that the library records.
    ///
    /// The same names are dimensions of metrics and metadata of log lines.
    public enum Attribute {
        /// `db.system.name`, such as `postgresql`.
        public static let systemName = SpanAttributeKey<String>(name: "db.system.name")
        /// `db.namespace`: the database, or `database|schema`.
        public static let namespace = SpanAttributeKey<String>(name: "db.namespace")
        /// `db.collection.name`: a table or collection.
        public static let collectionName = SpanAttributeKey<String>(name: "db.collection.name")
        /// `db.operation.name`, such as `SELECT`.
        public static let operationName = SpanAttributeKey<String>(name: "db.operation.name")
        /// `db.operation.batch.size`: the number of statements in a batch.
        public static let batchSize = SpanAttributeKey<Int>(name: "db.operation.batch.size")
        /// `db.query.summary`: a query's name.
        public static let querySummary = SpanAttributeKey<String>(name: "db.query.summary")
        /// `db.query.text`: the statement with placeholders.
        public static let queryText = SpanAttributeKey<String>(name: "db.query.text")
        /// `db.stored_procedure.name`: the function or procedure that is called.
        public static let storedProcedureName = SpanAttributeKey<String>(name: "db.stored_procedure.name")
        /// `db.response.status_code`: the server's own code, such as an SQLSTATE.
        public static let responseStatusCode = SpanAttributeKey<String>(name: "db.response.status_code")
        /// `db.response.returned_rows`: how many rows came back.
        public static let returnedRows = SpanAttributeKey<Int>(name: "db.response.returned_rows")
        /// `error.type`: the server's own code, else the code of the ``PersistenceError``.
        public static let errorType = SpanAttributeKey<String>(name: "error.type")
        /// `server.address`: a host name, an IP address or the path of a socket.
        public static let serverAddress = SpanAttributeKey<String>(name: "server.address")
        /// `server.port`, when it is not the system's default.
        public static let serverPort = SpanAttributeKey<Int>(name: "server.port")
        /// `db.client.connection.pool.name`.
        public static let poolName = SpanAttributeKey<String>(name: "db.client.connection.pool.name")
        /// `db.client.connection.state`: `idle` or `used`.
        public static let connectionState = SpanAttributeKey<String>(name: "db.client.connection.state")
        /// `otel.metric.overflow`: `true` on the measurements beyond ``Options/cardinalityLimit``.
        public static let metricOverflow = SpanAttributeKey<String>(name: "otel.metric.overflow")
    }

    /// The metrics of the OpenTelemetry database conventions that the library records.
    public enum Metric {
        /// A histogram of seconds: one measurement for each call to a server.
        public static let operationDuration = "db.client.operation.duration"
        /// How many connections a pool has, by ``Attribute/connectionState``.
        public static let connectionCount = "db.client.connection.count"
        /// The largest number of idle connections that a pool keeps.
        public static let connectionIdleMaximum = "db.client.connection.idle.max"
        /// The smallest number of idle connections that a pool keeps.
        public static let connectionIdleMinimum = "db.client.connection.idle.min"
        /// The largest number of connections that a pool opens.
        public static let connectionMaximum = "db.client.connection.max"
        /// How many callers wait for a connection.
        public static let connectionPendingRequests = "db.client.connection.pending_requests"
        /// How many waits for a connection ran out.
        public static let connectionTimeouts = "db.client.connection.timeouts"
        /// A histogram of seconds: opening a connection.
        public static let connectionCreateTime = "db.client.connection.create_time"
        /// A histogram of seconds: waiting for a connection.
        public static let connectionWaitTime = "db.client.connection.wait_time"
        /// A histogram of seconds: between borrowing a connection and giving it back.
        public static let connectionUseTime = "db.client.connection.use_time"
    }
}
