import BSON
import Foundation
import PersistenceCore

/// A field of every type that reads itself, none of which need be there.
struct FuzzFields: Codable, DocumentCodable {
    var a: String?
    var b: Bool?
    var c: Double?
    var d: Int?
    var e: Int32?
    var f: Int64?
    var g: ObjectID?
    var h: Date?
    var i: UUID?
    var j: Data?
    var k: BSONValue?
    var l: Document?
    var m: BSONArray?
    var n: BSONBinary?
    var o: BSONDate?
    var p: BSONTimestamp?
    var q: BSONRegularExpression?
    var r: Decimal128?

    init(reading fields: inout DocumentReader) throws(PersistenceError) {
        a = try fields.readIfPresent("a")
        b = try fields.readIfPresent("b")
        c = try fields.readIfPresent("c")
        d = try fields.readIfPresent("d")
        e = try fields.readIfPresent("e")
        f = try fields.readIfPresent("f")
        g = try fields.readIfPresent("g")
        h = try fields.readIfPresent("h")
        i = try fields.readIfPresent("i")
        j = try fields.readIfPresent("j")
        k = try fields.readIfPresent("k")
        l = try fields.readIfPresent("l")
        m = try fields.readIfPresent("m")
        n = try fields.readIfPresent("n")
        o = try fields.readIfPresent("o")
        p = try fields.readIfPresent("p")
        q = try fields.readIfPresent("q")
        r = try fields.readIfPresent("r")
    }

    func write(to fields: inout DocumentWriter) throws(PersistenceError) {
        try fields.writeIfPresent("a", a)
        try fields.writeIfPresent("b", b)
        try fields.writeIfPresent("c", c)
        try fields.writeIfPresent("d", d)
        try fields.writeIfPresent("e", e)
        try fields.writeIfPresent("f", f)
        try fields.writeIfPresent("g", g)
        try fields.writeIfPresent("h", h)
        try fields.writeIfPresent("i", i)
        try fields.writeIfPresent("j", j)
        try fields.writeIfPresent("k", k)
        try fields.writeIfPresent("l", l)
        try fields.writeIfPresent("m", m)
        try fields.writeIfPresent("n", n)
        try fields.writeIfPresent("o", o)
        try fields.writeIfPresent("p", p)
        try fields.writeIfPresent("q", q)
        try fields.writeIfPresent("r", r)
    }
}

/// A type that is `Codable` alone, within one that codes itself.
struct FuzzPlace: Codable {
    var city: String
    var lines: [String]
}

/// Fields that must be there, one of them twice, and one with a key that is longer than a word.
struct FuzzRequired: Codable, DocumentCodable {
    var a: String
    var b: Int
    var fieldOfSome: Double
    var when: Date
    var id: UUID
    var data: Data
    var place: FuzzPlace
    var other: FuzzPlace?

    init(reading fields: inout DocumentReader) throws(PersistenceError) {
        a = try fields.read("a")
        b = try fields.read("b")
        fieldOfSome = try fields.read("fieldOfSome")
        when = try fields.read("when")
        id = try fields.read("id")
        data = try fields.read("data")
        place = try fields.decode("place")
        other = try fields.decodeIfPresent("other")
    }

    func write(to fields: inout DocumentWriter) throws(PersistenceError) {
        try fields.write("a", a)
        try fields.write("b", b)
        try fields.write("fieldOfSome", fieldOfSome)
        try fields.write("when", when)
        try fields.write("id", id)
        try fields.write("data", data)
        try fields.encode("place", place)
        if let other { try fields.encode("other", other) }
    }
}

/// Arrays, of arrays and of documents, too.
struct FuzzLists: Codable, DocumentCodable {
    struct Line: Codable, DocumentCodable {
        var a: String
        var b: Int32?

        init(reading fields: inout DocumentReader) throws(PersistenceError) {
            a = try fields.read("a")
            b = try fields.readIfPresent("b")
        }

        func write(to fields: inout DocumentWriter) throws(PersistenceError) {
            try fields.write("a", a)
            try fields.writeIfPresent("b", b)
        }
    }

    var a: [Line]?
    var b: [Int?]?
    var c: [[String]]?
    var d: [Double]?
    var e: [UUID]?
    var f: [BSONValue]?

    init(reading fields: inout DocumentReader) throws(PersistenceError) {
        a = try fields.readIfPresent("a")
        b = try fields.readIfPresent("b")
        c = try fields.readIfPresent("c")
        d = try fields.readIfPresent("d")
        e = try fields.readIfPresent("e")
        f = try fields.readIfPresent("f")
    }

    func write(to fields: inout DocumentWriter) throws(PersistenceError) {
        try fields.writeIfPresent("a", a)
        try fields.writeIfPresent("b", b)
        try fields.writeIfPresent("c", c)
        try fields.writeIfPresent("d", d)
        try fields.writeIfPresent("e", e)
        try fields.writeIfPresent("f", f)
    }
}

/// A document within itself, as deep as the input likes.
final class FuzzChain: Codable, DocumentCodable {
    let a: Int?
    let n: FuzzChain?

    init(reading fields: inout DocumentReader) throws(PersistenceError) {
        a = try fields.readIfPresent("a")
        n = try fields.readIfPresent("n")
    }

    func write(to fields: inout DocumentWriter) throws(PersistenceError) {
        try fields.writeIfPresent("a", a)
        try fields.writeIfPresent("n", n)
    }
}

/// Values of any type.
struct FuzzRaw: Codable, DocumentReadable {
    var a: BSONValue?
    var b: BSONValue?
    var long: BSONValue?

    init(reading fields: inout DocumentReader) throws(PersistenceError) {
        // Out of their order, so that the reader has to search.
        long = try fields.readIfPresent("long key")
        if fields.contains("b") { b = try fields.readIfPresent("b") }
        a = try fields.readIfPresent("a")
    }
}
