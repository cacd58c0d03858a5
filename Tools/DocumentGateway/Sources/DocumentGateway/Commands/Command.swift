package import BSON

/// A command with what the gateway itself needs of it; everything else stays bytes.
package struct Command: Sendable {
    package let name: String
    package let kind: CommandKind
    package let body: Document
    package let sequences: [WireRequest.Sequence]
    package let database: String
    /// The identifier of the logical session, 16 bytes.
    package let sessionID: [UInt8]?
    package let transactionNumber: Int64?
    /// Whether the command belongs to a multi-document transaction.
    package let isInTransaction: Bool
    package let startsTransaction: Bool
    /// How long the work may take; `nil` is for ever.
    package let timeLimit: Duration?

    /// Reads the top level of a request.
    ///
    /// - Throws: ``CommandError`` when the request is no command that the gateway knows.
    package init(_ request: WireRequest) throws(CommandError) {
        body = request.body
        sequences = request.sequences
        var name: String?
        var database: String?
        var session: [UInt8]?
        var number: Int64?
        var autocommit = true
        var starts = false
        var limit: Duration?
        for field in body.fields {
            guard name != nil else {
                name = field.key
                continue
            }
            if field.hasKey("$db") {
                guard case .string(let text) = field.value else {
                    throw CommandError(14, "the field '$db' must be a string")
                }
                database = text
            } else if field.hasKey("lsid") {
                session = field.value.document?["id"]?.binary?.bytes
                guard session?.count == 16 else { throw CommandError(14, "the field 'lsid' must hold a UUID") }
            } else if field.hasKey("txnNumber") {
                guard case .int64(let value) = field.value, value >= 0 else {
                    throw CommandError(14, "the field 'txnNumber' must be a long that is not negative")
                }
                number = value
            } else if field.hasKey("autocommit") {
                guard case .bool(let value) = field.value else {
                    throw CommandError(14, "the field 'autocommit' must be a boolean")
                }
                autocommit = value
            } else if field.hasKey("startTransaction") {
                guard case .bool(let value) = field.value else {
                    throw CommandError(14, "the field 'startTransaction' must be a boolean")
                }
                starts = value
            } else if field.hasKey("maxTimeMS") {
                guard let value = field.value.int, value >= 0, value <= Int(Int32.max) else {
                    throw CommandError(2, "maxTimeMS must be a number from 0 to 2147483647")
                }
                // For getMore on a cursor that is not tailable the server has no limit per batch, either.
                if value > 0 { limit = .milliseconds(value) }
            }
        }
        guard let name else { throw CommandError(22, "the command has no fields") }
        if name == "bulkWrite" { throw CommandError(115, "the command bulkWrite is not supported") }
        guard let kind = request.commandKind else { throw CommandError(59, "no such command: '\(name)'") }
        self.name = name
        self.kind = kind
        if case .query(let collection) = request.form {
            guard kind == .hello, collection.hasSuffix(".$cmd") else {
                throw CommandError(352, "OP_QUERY is supported for the commands hello and isMaster alone")
            }
            database = database ?? String(collection.dropLast(5))
        }
        guard let database, !database.isEmpty else {
            throw CommandError(40571, "OP_MSG requests require a $db argument")
        }
        self.database = database
        sessionID = session
        transactionNumber = number
        isInTransaction = !autocommit
        startsTransaction = starts
        timeLimit = limit
        if isInTransaction, session == nil || number == nil {
            throw CommandError(72, "a transaction needs the fields 'lsid' and 'txnNumber'")
        }
        if number != nil, session == nil { throw CommandError(72, "'txnNumber' needs the field 'lsid'") }
        if starts, !isInTransaction { throw CommandError(72, "'startTransaction' needs 'autocommit: false'") }
    }

    /// The value of the command's own field: the collection's name, for most.
    var subject: BSONValue? {
        var fields = body.fields.makeIterator()
        return fields.next()?.value
    }

    /// The collection that the command names.
    func collection() throws(CommandError) -> String {
        guard case .string(let collection)? = subject else {
            throw CommandError(73, "collection name has invalid type")
        }
        guard !collection.isEmpty else { throw CommandError(73, "collection name cannot be empty") }
        return collection
    }

    /// The database and collection, as errors name them.
    func namespace() -> String {
        if case .string(let collection)? = subject { return "\(database).\(collection)" }
        return "\(database).$cmd"
    }

    /// The documents that came beside the body.
    func sequence(_ identifier: String) throws(CommandError) -> [UInt8]? {
        guard let first = sequences.first else { return nil }
        guard sequences.count == 1, first.identifier == identifier else {
            throw CommandError(40415, "the document sequence '\(first.identifier)' is not one of this command's fields")
        }
        return first.bytes
    }
}
