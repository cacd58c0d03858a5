public import PersistenceCore

/// A point of the plane, PostgreSQL's `point`.
public struct PostgresPoint: Hashable, Sendable, Codable {
    /// The first coordinate.
    public var x: Double
    /// The second coordinate.
    public var y: Double

    /// Creates a point.
    ///
    /// - Parameters:
    ///   - x: The first coordinate.
    ///   - y: The second coordinate.
    public init(x: Double, y: Double) {
        self.x = x
        self.y = y
    }
}

extension PostgresPoint: PostgresElement {
    /// `point`.
    public static var postgresType: PostgresType { .point }

    /// Reads `point`.
    public static func canDecode(_ type: PostgresType) -> Bool { type == .point }

    /// Reads `point`.
    public static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> PostgresPoint {
        try value.require(PostgresPoint.self, count: 16)
        return PostgresPoint(
            x: Double(bitPattern: value.load(UInt64.self)),
            y: Double(bitPattern: value.load(UInt64.self, at: 8)))
    }

    /// Appends sixteen bytes.
    public func encode(into writer: inout PostgresWriter) {
        writer.write(x.bitPattern)
        writer.write(y.bitPattern)
    }
}
