public import BSON

/// A computed value in a pipeline.
///
/// ```swift
/// let total = MongoExpression.field("price") * .field("count")
/// ```
///
/// A value is always a value: `.value(typedByTheUser)` sends `{$literal: …}`, so that a text like `$password` names no
/// field.
public struct MongoExpression: Sendable, Hashable {
    /// The expression as it is sent.
    public let value: BSONValue

    /// Takes an expression as it is.
    ///
    /// - Parameter value: The expression; a text that begins with a dollar sign names a field.
    public init(trusted value: BSONValue) {
        self.value = value
    }

    /// The value of a field.
    ///
    /// - Parameter path: The field.
    /// - Returns: The expression.
    public static func field(_ path: FieldPath) -> MongoExpression {
        MongoExpression(trusted: .string("$\(path.text)"))
    }

    /// A value.
    ///
    /// - Parameter value: The value.
    /// - Returns: The expression.
    public static func value(_ value: some MongoValue) -> MongoExpression {
        MongoExpression(trusted: ["$literal": value.bsonValue])
    }

    /// An operator of MongoDB's applied to expressions: `.operator("$concat", .field("first"), .field("last"))`.
    ///
    /// - Parameters:
    ///   - name: The operator, as MongoDB writes it.
    ///   - operands: What it is applied to.
    /// - Returns: The expression.
    public static func `operator`(_ name: StaticString, _ operands: MongoExpression...) -> MongoExpression {
        MongoExpression(
            trusted: .document(Document([(name.description, .array(BSONArray(operands.map(\.value))))])))
    }

    /// An operator of MongoDB's with named arguments: `.operator("$dateTrunc", ["date": .field("at"), "unit": .value("day")])`.
    ///
    /// - Parameters:
    ///   - name: The operator, as MongoDB writes it.
    ///   - arguments: The arguments by name.
    /// - Returns: The expression.
    public static func `operator`(
        _ name: StaticString, _ arguments: KeyValuePairs<StaticString, MongoExpression>
    ) -> MongoExpression {
        let document = Document(arguments.map { ($0.key.description, $0.value.value) })
        return MongoExpression(trusted: .document(Document([(name.description, .document(document))])))
    }

    private static func binary(_ name: String, _ left: MongoExpression, _ right: MongoExpression) -> MongoExpression {
        MongoExpression(trusted: .document(Document([(name, .array([left.value, right.value]))])))
    }

    /// The sum of numbers; or a date that many milliseconds later.
    public static func + (left: MongoExpression, right: MongoExpression) -> MongoExpression {
        binary("$add", left, right)
    }

    /// The difference of numbers; or of dates, in milliseconds.
    public static func - (left: MongoExpression, right: MongoExpression) -> MongoExpression {
        binary("$subtract", left, right)
    }

    /// The product of numbers.
    public static func * (left: MongoExpression, right: MongoExpression) -> MongoExpression {
        binary("$multiply", left, right)
    }

    /// The quotient of numbers.
    public static func / (left: MongoExpression, right: MongoExpression) -> MongoExpression {
        binary("$divide", left, right)
    }

    /// Whether both are the same.
    ///
    /// - Parameter other: The other expression.
    /// - Returns: The expression.
    public func equals(_ other: MongoExpression) -> MongoExpression { Self.binary("$eq", self, other) }

    /// Whether this is less than the other.
    ///
    /// - Parameter other: The other expression.
    /// - Returns: The expression.
    public func isLess(than other: MongoExpression) -> MongoExpression { Self.binary("$lt", self, other) }

    /// Whether this is greater than the other.
    ///
    /// - Parameter other: The other expression.
    /// - Returns: The expression.
    public func isGreater(than other: MongoExpression) -> MongoExpression { Self.binary("$gt", self, other) }

    /// The expression, or another where it is null or missing.
    ///
    /// - Parameter other: The other expression.
    /// - Returns: The expression.
    public func ifNull(_ other: MongoExpression) -> MongoExpression { Self.binary("$ifNull", self, other) }

    /// One of two expressions.
    ///
    /// - Parameters:
    ///   - condition: What decides.
    ///   - then: When it is true.
    ///   - otherwise: When it is false.
    /// - Returns: The expression.
    public static func when(
        _ condition: MongoExpression, then: MongoExpression, otherwise: MongoExpression
    ) -> MongoExpression {
        MongoExpression(trusted: ["$cond": [condition.value, then.value, otherwise.value]])
    }

    /// A date as text.
    ///
    /// - Parameters:
    ///   - date: The date.
    ///   - format: The form, such as `%Y-%m-%d`.
    /// - Returns: The expression, in UTC.
    public static func dateText(_ date: MongoExpression, format: StaticString) -> MongoExpression {
        MongoExpression(
            trusted: ["$dateToString": ["date": date.value, "format": .string(format.description)]])
    }
}
