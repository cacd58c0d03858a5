extension Instrumentation {
    /// What is recorded, beyond what the conventions always ask for.
    ///
    /// The values of parameters are never recorded, and there is no option to do so.
    public struct Options: Sendable {
        /// From which duration on an operation is slow; nil turns the report off.
        ///
        /// A slow operation is logged at level warning, and gets a span even when its kind makes none. Migrations are
        /// never reported: they take as long as the data needs.
        public var slowOperationThreshold: Duration?

        /// When `db.query.text` is recorded on spans.
        public var queryText: QueryTextRecording

        /// The longest `db.query.text`, in bytes of UTF-8; the rest is cut off and replaced by an ellipsis.
        public var queryTextLimit: Int

        /// Whether `db.response.returned_rows` is recorded on spans.
        public var recordsReturnedRows: Bool

        /// How many sets of dimensions `db.client.operation.duration` may have.
        ///
        /// Measurements beyond it share one set, which says `otel.metric.overflow`, so that a database with a collection
        /// for every job cannot fill the memory of the service or of its metrics backend. Source: "Cardinality limits" in
        /// the OpenTelemetry metrics SDK specification.
        public var cardinalityLimit: Int

        /// Creates options.
        ///
        /// - Parameters:
        ///   - slowOperationThreshold: From which duration on an operation is slow; nil turns the report off.
        ///   - queryText: When `db.query.text` is recorded.
        ///   - queryTextLimit: The longest `db.query.text`, in bytes of UTF-8. A negative number counts as 0.
        ///   - recordsReturnedRows: Whether `db.response.returned_rows` is recorded.
        ///   - cardinalityLimit: How many sets of dimensions the duration may have. A negative number counts as 0.
        public init(
            slowOperationThreshold: Duration? = .seconds(1),
            queryText: QueryTextRecording = .parameterized,
            queryTextLimit: Int = 4096,
            recordsReturnedRows: Bool = false,
            cardinalityLimit: Int = 2000
        ) {
            self.slowOperationThreshold = slowOperationThreshold
            self.queryText = queryText
            self.queryTextLimit = queryTextLimit
            self.recordsReturnedRows = recordsReturnedRows
            self.cardinalityLimit = cardinalityLimit
        }
    }

    /// When a statement's text is recorded on its span.
    @nonexhaustive
    public enum QueryTextRecording: Hashable, Sendable {
        /// Never.
        case never
        /// When the statement has placeholders for its values; the conventions' default.
        case parameterized
        /// Always, scripts with values written into them included.
        case always
    }
}

extension Instrumentation.Options {
    func recordedText(of operation: DatabaseOperation) -> String? {
        guard let text = operation.queryText else { return nil }
        switch queryText {
        case .never: return nil
        case .parameterized where operation.queryTextMayHoldValues: return nil
        default: return text.cut(toUTF8Count: max(queryTextLimit, 0))
        }
    }
}

extension String {
    /// The longest prefix of whole characters within `limit` bytes of UTF-8, with an ellipsis when something was cut.
    func cut(toUTF8Count limit: Int) -> String {
        guard utf8.count > limit else { return self }
        var end = utf8.index(startIndex, offsetBy: limit)
        // A limit may fall within a scalar, or between a letter and its accent.
        while end > startIndex, end.samePosition(in: self) == nil {
            end = utf8.index(before: end)
        }
        return self[..<end] + "…"
    }
}
