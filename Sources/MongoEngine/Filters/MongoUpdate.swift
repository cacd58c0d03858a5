public import BSON

/// What an update does to the documents that it finds.
///
/// ```swift
/// let update = MongoUpdate.set("status", to: Status.paid).increment("revision").currentDate("updatedAt")
/// ```
///
/// Paths stand in the source or were checked; values are stored as they are, whatever they look like. Two changes of one
/// field in the same update are refused by the server.
public struct MongoUpdate: Sendable, Hashable {
    /// What one operator changes.
    private struct Change: Sendable, Hashable {
        let operation: String
        var fields: Document
    }

    private var changes: [Change] = []
    private var raw = Document()

    /// An update that changes nothing; the server refuses it.
    public init() {}

    /// Takes an update document as it is, operators included.
    ///
    /// - Parameter document: The update document.
    public init(trusted document: Document) {
        raw = document
    }

    /// The update as it is sent.
    public var document: Document {
        var document = raw
        for change in changes { document.append(change.operation, .document(change.fields)) }
        return document
    }

    /// Whether nothing is changed.
    public var isEmpty: Bool { changes.isEmpty && raw.isEmpty }

    func adding(_ operation: String, _ path: FieldPath, _ value: BSONValue) -> MongoUpdate {
        var copy = self
        if let index = copy.changes.firstIndex(where: { $0.operation == operation }) {
            copy.changes[index].fields.append(path.text, value)
        } else {
            copy.changes.append(Change(operation: operation, fields: [path.text: value]))
        }
        return copy
    }
}

extension MongoUpdate {
    /// Gives a field a value.
    ///
    /// - Parameters:
    ///   - path: The field.
    ///   - value: The value.
    /// - Returns: The update with that change.
    public func set(_ path: FieldPath, to value: some MongoValue) -> MongoUpdate {
        adding("$set", path, value.bsonValue)
    }

    /// Gives a field a value, when the update inserts the document.
    ///
    /// - Parameters:
    ///   - path: The field.
    ///   - value: The value.
    /// - Returns: The update with that change.
    public func setOnInsert(_ path: FieldPath, to value: some MongoValue) -> MongoUpdate {
        adding("$setOnInsert", path, value.bsonValue)
    }

    /// Removes a field.
    ///
    /// - Parameter path: The field.
    /// - Returns: The update with that change.
    public func unset(_ path: FieldPath) -> MongoUpdate {
        adding("$unset", path, .string(""))
    }

    /// Gives a field another name.
    ///
    /// - Parameters:
    ///   - path: The field.
    ///   - newPath: Its new name.
    /// - Returns: The update with that change.
    public func rename(_ path: FieldPath, to newPath: FieldPath) -> MongoUpdate {
        adding("$rename", path, .string(newPath.text))
    }

    /// Adds to a number; a field that is not there counts as 0.
    ///
    /// - Parameters:
    ///   - path: The field.
    ///   - amount: How much, which may be negative.
    /// - Returns: The update with that change.
    public func increment(_ path: FieldPath, by amount: some MongoValue = 1) -> MongoUpdate {
        adding("$inc", path, amount.bsonValue)
    }

    /// Multiplies a number; a field that is not there becomes 0.
    ///
    /// - Parameters:
    ///   - path: The field.
    ///   - factor: By how much.
    /// - Returns: The update with that change.
    public func multiply(_ path: FieldPath, by factor: some MongoValue) -> MongoUpdate {
        adding("$mul", path, factor.bsonValue)
    }

    /// Gives a field a value that is smaller than its own.
    ///
    /// - Parameters:
    ///   - path: The field.
    ///   - value: The value; a greater one changes nothing.
    /// - Returns: The update with that change.
    public func minimum(_ path: FieldPath, _ value: some MongoValue) -> MongoUpdate {
        adding("$min", path, value.bsonValue)
    }

    /// Gives a field a value that is greater than its own.
    ///
    /// - Parameters:
    ///   - path: The field.
    ///   - value: The value; a smaller one changes nothing.
    /// - Returns: The update with that change.
    public func maximum(_ path: FieldPath, _ value: some MongoValue) -> MongoUpdate {
        adding("$max", path, value.bsonValue)
    }

    /// Gives a field the server's time.
    ///
    /// - Parameter path: The field.
    /// - Returns: The update with that change.
    public func currentDate(_ path: FieldPath) -> MongoUpdate {
        adding("$currentDate", path, .bool(true))
    }

    // MARK: Arrays

    /// Appends values to an array.
    ///
    /// - Parameters:
    ///   - path: The array.
    ///   - values: The values.
    ///   - limit: How many elements are kept, the last ones; all without it.
    /// - Returns: The update with that change.
    public func push<Value: MongoValue>(
        _ path: FieldPath, _ values: [Value], keepingLast limit: Int? = nil
    ) -> MongoUpdate {
        var change: Document = ["$each": values.bsonValue]
        if let limit { change.append("$slice", .int64(-Int64(limit))) }
        return adding("$push", path, .document(change))
    }

    /// Appends a value to an array.
    ///
    /// - Parameters:
    ///   - path: The array.
    ///   - value: The value, as one element even when it is an array.
    /// - Returns: The update with that change.
    public func push(_ path: FieldPath, _ value: some MongoValue) -> MongoUpdate {
        // In `$each`, so that a document with a key like `$position` is a value as well.
        adding("$push", path, ["$each": .array([value.bsonValue])])
    }

    /// Appends the values that an array does not hold.
    ///
    /// - Parameters:
    ///   - path: The array.
    ///   - values: The values.
    /// - Returns: The update with that change.
    public func addToSet<Value: MongoValue>(_ path: FieldPath, _ values: [Value]) -> MongoUpdate {
        adding("$addToSet", path, ["$each": values.bsonValue])
    }

    /// Removes a value from an array, wherever it occurs.
    ///
    /// - Parameters:
    ///   - path: The array.
    ///   - value: The value.
    /// - Returns: The update with that change.
    public func pull(_ path: FieldPath, _ value: some MongoValue) -> MongoUpdate {
        // `$pull` takes a document for a condition; `$in` compares.
        adding("$pull", path, ["$in": .array([value.bsonValue])])
    }

    /// Removes from an array the documents that a filter matches.
    ///
    /// - Parameters:
    ///   - path: The array.
    ///   - filter: The filter, with paths from within the element.
    /// - Returns: The update with that change.
    public func pull(_ path: FieldPath, where filter: MongoFilter) -> MongoUpdate {
        adding("$pull", path, .document(filter.document))
    }

    /// Removes the first or last element of an array.
    ///
    /// - Parameters:
    ///   - path: The array.
    ///   - fromEnd: Whether it is the last one.
    /// - Returns: The update with that change.
    public func pop(_ path: FieldPath, fromEnd: Bool = true) -> MongoUpdate {
        adding("$pop", path, .int32(fromEnd ? 1 : -1))
    }
}

extension MongoUpdate {
    /// Gives a field a value.
    ///
    /// - Parameters:
    ///   - path: The field.
    ///   - value: The value.
    /// - Returns: The update.
    public static func set(_ path: FieldPath, to value: some MongoValue) -> MongoUpdate {
        MongoUpdate().set(path, to: value)
    }

    /// Gives a field a value.
    ///
    /// - Parameters:
    ///   - field: The field.
    ///   - value: The value.
    /// - Returns: The update.
    public static func set<Value>(_ field: Field<Value>, to value: Value) -> MongoUpdate {
        MongoUpdate().set(field.path, to: value)
    }

    /// Gives a field a value.
    ///
    /// - Parameters:
    ///   - field: The field.
    ///   - value: The value.
    /// - Returns: The update with that change.
    public func set<Value>(_ field: Field<Value>, to value: Value) -> MongoUpdate {
        set(field.path, to: value)
    }

    /// Adds to a number.
    ///
    /// - Parameters:
    ///   - path: The field.
    ///   - amount: How much, which may be negative.
    /// - Returns: The update.
    public static func increment(_ path: FieldPath, by amount: some MongoValue = 1) -> MongoUpdate {
        MongoUpdate().increment(path, by: amount)
    }

    /// Removes a field.
    ///
    /// - Parameter path: The field.
    /// - Returns: The update.
    public static func unset(_ path: FieldPath) -> MongoUpdate { MongoUpdate().unset(path) }

    /// Appends a value to an array.
    ///
    /// - Parameters:
    ///   - path: The array.
    ///   - value: The value.
    /// - Returns: The update.
    public static func push(_ path: FieldPath, _ value: some MongoValue) -> MongoUpdate {
        MongoUpdate().push(path, value)
    }
}

extension MongoUpdate: CustomStringConvertible {
    /// The operators and fields, without the values.
    public var description: String { "MongoUpdate(\(MongoFilter.shape(of: .document(document))))" }
}
