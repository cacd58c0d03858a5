public import BSON

/// A field of documents, with the type of its values.
///
/// ```swift
/// enum Orders {
///     static let status = Field<Status>("status")
///     static let city = Field<String>("address.city")
/// }
/// let filter = Orders.status == .paid && Orders.city.hasPrefix(typedByTheUser)
/// ```
public struct Field<Value: MongoValue>: Sendable, Hashable {
    /// The field's path.
    public let path: FieldPath

    /// Names a field.
    ///
    /// - Parameter path: Its path: a literal, or a ``FieldPath`` that was checked.
    public init(_ path: FieldPath) {
        self.path = path
    }

    // MARK: Comparing

    /// The documents whose field has a value, or is an array that holds it.
    public static func == (field: Field, value: Value) -> MongoFilter {
        MongoFilter(field.path, "$eq", value.bsonValue)
    }

    /// The documents whose field has another value, or none.
    public static func != (field: Field, value: Value) -> MongoFilter {
        MongoFilter(field.path, "$ne", value.bsonValue)
    }

    /// The documents whose field has a smaller value of the same kind.
    public static func < (field: Field, value: Value) -> MongoFilter {
        MongoFilter(field.path, "$lt", value.bsonValue)
    }

    /// The documents whose field has a smaller or the same value.
    public static func <= (field: Field, value: Value) -> MongoFilter {
        MongoFilter(field.path, "$lte", value.bsonValue)
    }

    /// The documents whose field has a greater value of the same kind.
    public static func > (field: Field, value: Value) -> MongoFilter {
        MongoFilter(field.path, "$gt", value.bsonValue)
    }

    /// The documents whose field has a greater or the same value.
    public static func >= (field: Field, value: Value) -> MongoFilter {
        MongoFilter(field.path, "$gte", value.bsonValue)
    }

    /// The documents whose field has one of the values.
    ///
    /// - Parameter values: The values; none matches nothing.
    /// - Returns: The filter.
    public func `in`(_ values: some Sequence<Value>) -> MongoFilter {
        MongoFilter(path, "$in", .array(BSONArray(values.map(\.bsonValue))))
    }

    /// The documents whose field has none of the values.
    ///
    /// - Parameter values: The values; none matches everything.
    /// - Returns: The filter.
    public func notIn(_ values: some Sequence<Value>) -> MongoFilter {
        MongoFilter(path, "$nin", .array(BSONArray(values.map(\.bsonValue))))
    }

    /// The documents whose field is there, with null as well as with any other value.
    ///
    /// - Parameter isThere: False for the documents that lack the field.
    /// - Returns: The filter.
    public func exists(_ isThere: Bool = true) -> MongoFilter {
        MongoFilter(path, "$exists", .bool(isThere))
    }

    /// The documents whose field is null or not there.
    public var isNull: MongoFilter { MongoFilter(path, "$eq", .null) }

    /// The documents whose field has a value of a BSON type.
    ///
    /// - Parameter type: The type.
    /// - Returns: The filter.
    public func has(type: BSONType) -> MongoFilter {
        MongoFilter(path, "$type", .string(type.description))
    }
}

extension Field where Value == String {
    /// The documents whose text begins with another.
    ///
    /// An index on the field serves it.
    ///
    /// - Parameter text: The beginning, character by character: nothing in it has a meaning of its own.
    /// - Returns: The filter.
    public func hasPrefix(_ text: String) -> MongoFilter {
        regex("^\(Self.escaped(text))", "")
    }

    /// The documents whose text holds another.
    ///
    /// - Parameters:
    ///   - text: The part, character by character: nothing in it has a meaning of its own.
    ///   - ignoresCase: Whether upper and lower case count as the same.
    /// - Returns: The filter.
    public func contains(_ text: String, ignoringCase ignoresCase: Bool = false) -> MongoFilter {
        regex(Self.escaped(text), ignoresCase ? "i" : "")
    }

    /// The documents whose text matches a regular expression.
    ///
    /// Someone who may choose the expression may also choose one that takes the server very long: it belongs into the
    /// source.
    ///
    /// - Parameters:
    ///   - pattern: The expression.
    ///   - options: `i` to ignore case, `m` for lines, `x` for spaces without meaning, `s` for dots that match newlines.
    /// - Returns: The filter.
    public func matches(_ pattern: StaticString, options: StaticString = "") -> MongoFilter {
        regex(pattern.description, options.description)
    }

    private func regex(_ pattern: String, _ options: String) -> MongoFilter {
        MongoFilter(
            path, "$regex", .regularExpression(BSONRegularExpression(pattern: pattern, options: options)))
    }

    /// The text with a backslash before everything that has a meaning in PCRE.
    ///
    /// A NUL, which no pattern can hold, becomes PCRE's own way to write it.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\", "^", "$", ".", "|", "?", "*", "+", "(", ")", "[", "]", "{", "}", "/", "#", "-", " ":
                result.unicodeScalars.append("\\")
                result.unicodeScalars.append(scalar)
            case "\0": result += "\\x00"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

extension Field {
    /// The documents whose array holds a value.
    ///
    /// - Parameter element: The value.
    /// - Returns: The filter.
    public func contains<Element: MongoValue>(_ element: Element) -> MongoFilter where Value == [Element] {
        MongoFilter(path, "$elemMatch", ["$eq": element.bsonValue])
    }

    /// The documents whose array holds all of the values, in any order.
    ///
    /// - Parameter elements: The values; none matches nothing.
    /// - Returns: The filter.
    public func containsAll<Element: MongoValue>(
        _ elements: some Sequence<Element>
    ) -> MongoFilter where Value == [Element] {
        // `$all` takes a document with `$elemMatch` for an operator, so values are wrapped as well.
        let conditions = elements.map { BSONValue.document(["$elemMatch": ["$eq": $0.bsonValue]]) }
        return MongoFilter(path, "$all", .array(BSONArray(conditions)))
    }

    /// The documents whose array has so many elements.
    ///
    /// - Parameter count: How many.
    /// - Returns: The filter.
    public func hasCount<Element: MongoValue>(_ count: Int) -> MongoFilter where Value == [Element] {
        MongoFilter(path, "$size", .int64(Int64(count)))
    }

    /// The documents whose array holds a document that a filter matches as a whole.
    ///
    /// - Parameter filter: The filter, with paths from within the element.
    /// - Returns: The filter.
    public func containsElement(where filter: MongoFilter) -> MongoFilter {
        MongoFilter(path, "$elemMatch", .document(filter.document))
    }
}
