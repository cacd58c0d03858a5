import BSON

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Ten fields of the usual types.
struct Flat: Codable {
    var _id: ObjectID
    var name: String
    var email: String
    var status: String
    var age: Int32
    var visits: Int64
    var score: Double
    var active: Bool
    var created: Date
    var tenant: UUID

    static let example = Flat(
        _id: ObjectID("56e1fc72e0c917e9c4714161") ?? ObjectID(), name: "Ada Augusta King, Countess of Lovelace",
        email: "ada.lovelace@analytical.example", status: "active", age: 36, visits: 123_456_789_012, score: 0.75,
        active: true, created: Date(timeIntervalSince1970: 1_753_705_096.789), tenant: UUID())
}

/// Documents and texts within a document.
struct Nested: Codable {
    struct Line: Codable {
        var sku: String
        var count: Int32
        var price: Double
    }

    var _id: ObjectID
    var customer: String
    var lines: [Line]
    var tags: [String]

    static let example = Nested(
        _id: ObjectID("56e1fc72e0c917e9c4714161") ?? ObjectID(), customer: "Ada Augusta King, Countess of Lovelace",
        lines: (1...4).map { Line(sku: "SKU-00000\($0)", count: Int32($0), price: 12.5) },
        tags: ["express", "gift", "a tag of more than fifteen bytes", "eu", "retail"])
}
