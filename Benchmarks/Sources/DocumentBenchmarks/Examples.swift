import BSON
import PersistenceCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Ten fields of the usual types.
struct Flat: Codable, Sendable {
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

// MARK: - The same types, which code themselves

/// ``Flat`` with its own reading and writing.
struct DirectFlat: Codable, Sendable {
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

    init(_ flat: Flat) {
        (_id, name, email, status, age) = (flat._id, flat.name, flat.email, flat.status, flat.age)
        (visits, score, active, created, tenant) = (flat.visits, flat.score, flat.active, flat.created, flat.tenant)
    }
}

extension DirectFlat: DocumentCodable {
    init(reading fields: inout DocumentReader) throws(PersistenceError) {
        _id = try fields.read("_id")
        name = try fields.read("name")
        email = try fields.read("email")
        status = try fields.read("status")
        age = try fields.read("age")
        visits = try fields.read("visits")
        score = try fields.read("score")
        active = try fields.read("active")
        created = try fields.read("created")
        tenant = try fields.read("tenant")
    }

    func write(to fields: inout DocumentWriter) throws(PersistenceError) {
        try fields.write("_id", _id)
        try fields.write("name", name)
        try fields.write("email", email)
        try fields.write("status", status)
        try fields.write("age", age)
        try fields.write("visits", visits)
        try fields.write("score", score)
        try fields.write("active", active)
        try fields.write("created", created)
        try fields.write("tenant", tenant)
    }
}

/// ``Nested`` with its own reading and writing.
struct DirectNested: Codable {
    struct Line: Codable, DocumentCodable {
        var sku: String
        var count: Int32
        var price: Double

        init(_ line: Nested.Line) {
            (sku, count, price) = (line.sku, line.count, line.price)
        }

        init(reading fields: inout DocumentReader) throws(PersistenceError) {
            sku = try fields.read("sku")
            count = try fields.read("count")
            price = try fields.read("price")
        }

        func write(to fields: inout DocumentWriter) throws(PersistenceError) {
            try fields.write("sku", sku)
            try fields.write("count", count)
            try fields.write("price", price)
        }
    }

    var _id: ObjectID
    var customer: String
    var lines: [Line]
    var tags: [String]

    init(_ nested: Nested) {
        (_id, customer, tags) = (nested._id, nested.customer, nested.tags)
        lines = nested.lines.map(Line.init)
    }
}

extension DirectNested: DocumentCodable {
    init(reading fields: inout DocumentReader) throws(PersistenceError) {
        _id = try fields.read("_id")
        customer = try fields.read("customer")
        lines = try fields.read("lines")
        tags = try fields.read("tags")
    }

    func write(to fields: inout DocumentWriter) throws(PersistenceError) {
        try fields.write("_id", _id)
        try fields.write("customer", customer)
        try fields.write("lines", lines)
        try fields.write("tags", tags)
    }
}
