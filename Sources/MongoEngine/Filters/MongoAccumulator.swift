public import BSON

/// What a group makes of its documents.
public struct MongoAccumulator: Sendable, Hashable {
    /// The accumulator as it is sent.
    public let value: BSONValue

    /// Takes an accumulator as it is.
    ///
    /// - Parameter value: The accumulator, such as `["$sum": 1]`.
    public init(trusted value: BSONValue) {
        self.value = value
    }

    private init(_ name: String, _ expression: MongoExpression) {
        value = .document(Document([(name, expression.value)]))
    }

    /// How many documents there are.
    public static let count = MongoAccumulator(trusted: ["$sum": .int32(1)])

    /// The sum of numbers.
    ///
    /// - Parameter expression: The number of each document.
    /// - Returns: The accumulator.
    public static func sum(_ expression: MongoExpression) -> MongoAccumulator { Self("$sum", expression) }

    /// The mean of numbers.
    ///
    /// - Parameter expression: The number of each document.
    /// - Returns: The accumulator.
    public static func average(_ expression: MongoExpression) -> MongoAccumulator { Self("$avg", expression) }

    /// The smallest value.
    ///
    /// - Parameter expression: The value of each document.
    /// - Returns: The accumulator.
    public static func minimum(_ expression: MongoExpression) -> MongoAccumulator { Self("$min", expression) }

    /// The greatest value.
    ///
    /// - Parameter expression: The value of each document.
    /// - Returns: The accumulator.
    public static func maximum(_ expression: MongoExpression) -> MongoAccumulator { Self("$max", expression) }

    /// The value of the first document; of use after a sort.
    ///
    /// - Parameter expression: The value of each document.
    /// - Returns: The accumulator.
    public static func first(_ expression: MongoExpression) -> MongoAccumulator { Self("$first", expression) }

    /// The value of the last document; of use after a sort.
    ///
    /// - Parameter expression: The value of each document.
    /// - Returns: The accumulator.
    public static func last(_ expression: MongoExpression) -> MongoAccumulator { Self("$last", expression) }

    /// All values, as an array.
    ///
    /// - Parameter expression: The value of each document.
    /// - Returns: The accumulator.
    public static func push(_ expression: MongoExpression) -> MongoAccumulator { Self("$push", expression) }

    /// The different values, as an array in no order.
    ///
    /// - Parameter expression: The value of each document.
    /// - Returns: The accumulator.
    public static func addToSet(_ expression: MongoExpression) -> MongoAccumulator { Self("$addToSet", expression) }

    /// Percentiles of numbers, as an array; needs MongoDB 7.0.
    ///
    /// - Parameters:
    ///   - fractions: Which, from 0 to 1.
    ///   - expression: The number of each document.
    /// - Returns: The accumulator.
    public static func percentiles(_ fractions: [Double], of expression: MongoExpression) -> MongoAccumulator {
        MongoAccumulator(
            trusted: [
                "$percentile": [
                    "input": expression.value, "p": .array(BSONArray(fractions.map { .double($0) })),
                    "method": "approximate",
                ]
            ])
    }
}
