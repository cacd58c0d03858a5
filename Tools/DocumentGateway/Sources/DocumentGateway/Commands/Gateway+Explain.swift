internal import BSON
internal import PersistenceCore
internal import PostgresEngine

extension Gateway {
    /// Explains a find, aggregate, count, distinct or write, in the form that clients know, with the engine's own plan.
    func explain(_ command: Command, on executor: some PostgresExecutor) async throws -> WireReply {
        guard let inner = command.subject?.document, let name = inner.keys.first else {
            throw CommandError(14, "explain needs a command to explain")
        }
        let verbosity = command.body["verbosity"]?.string ?? "allPlansExecution"
        guard ["queryPlanner", "executionStats", "allPlansExecution"].contains(verbosity) else {
            throw CommandError(2, "verbosity string must be one of queryPlanner, executionStats, allPlansExecution")
        }
        let function: String
        switch CommandKind(name: name) {
        case .find?: function = "bson_aggregation_find"
        case .aggregate?: function = "bson_aggregation_pipeline"
        case .count?: function = "bson_aggregation_count"
        case .distinct?: function = "bson_aggregation_distinct"
        default: throw CommandError(20, "Explain failed due to unknown command: \(name)")
        }
        let isAnalyzed = verbosity != "queryPlanner"
        // No value is in the text: the function is one of the names above.
        let prefix = isAnalyzed ? "EXPLAIN (FORMAT JSON, ANALYZE, BUFFERS OFF)" : "EXPLAIN (FORMAT JSON)"
        var parameters = PostgresParameters()
        try parameters.append(command.database)
        try parameters.append(inner.byteArray)
        let statement = PostgresStatement(
            sql: "\(prefix) SELECT document FROM documentdb_api_catalog.\(function)($1, $2::bytea)",
            parameters: parameters)
        let text = try await executor.one(statement, as: EngineText.self)
        // JSON has no documents at its top here, but an array of one plan.
        let json = "{\"plans\": \(String(decoding: text.bytes, as: UTF8.self))}"
        let parsed = try await database.one(
            "SELECT documentdb_core.bson_json_to_bson(\(json)::text)::bytea", as: [UInt8].self)
        let plan = Document(unchecked: parsed)["plans"]?[0]?.document ?? Document()
        let root = plan["Plan"]?.document ?? Document()
        let collection = inner[name]?.string ?? "$cmd.aggregate"
        // Every scan of a collection goes over the index of its _id; only one with a condition on it uses it.
        let usesIdentifier = String(decoding: text.bytes, as: UTF8.self).contains("object_id OPERATOR")
        let index = root.firstIndexName.flatMap { $0 == "_id_" && !usesIdentifier ? nil : $0 }
        var stage: Document
        if let index {
            stage = ["stage": "FETCH", "inputStage": ["stage": "IXSCAN", "indexName": .string(index)]]
        } else {
            stage = ["stage": "COLLSCAN", "direction": "forward"]
        }
        stage.append("enginePlan", .document(root))
        var document: Document = [
            "explainVersion": "1",
            "queryPlanner": [
                "namespace": .string("\(command.database).\(collection)"), "indexFilterSet": false,
                "winningPlan": .document(stage), "rejectedPlans": [],
            ],
        ]
        if isAnalyzed {
            document.append(
                "executionStats",
                [
                    "executionSuccess": true, "nReturned": root["Actual Rows"] ?? 0,
                    "executionTimeMillis": plan["Execution Time"] ?? 0,
                ])
        }
        document.append("command", .document(inner))
        document.append("ok", 1.0)
        return WireReply(document)
    }
}

extension Document {
    /// The name of the first index that a plan uses, wherever the engine puts it.
    fileprivate var firstIndexName: String? {
        for field in fields {
            if field.hasKey("Index Name") || field.hasKey("indexName") {
                if let name = field.value.string { return name }
            }
            switch field.value {
            case .document(let document):
                if let name = document.firstIndexName { return name }
            case .array(let array):
                if let name = array.lazy.compactMap({ $0.document?.firstIndexName }).first { return name }
            default: break
            }
        }
        return nil
    }
}
