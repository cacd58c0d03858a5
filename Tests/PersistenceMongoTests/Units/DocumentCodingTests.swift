import BSON
import Foundation
import Persistence
import PersistenceCore
import Testing

@testable import PersistenceMongo

@Suite("Documents and their names")
struct DocumentCodingTests {
    @Test("The size of a payload is that of its BSON")
    func sizes() throws {
        let payloads: [Payload] = [
            [:], ["a": 1], ["": nil, "b": [1, 2.5, "x", [nil, true]], "c": ["d": .bytes([1, 2, 3])]],
            ["long": .array(Array(repeating: .date(Date(timeIntervalSince1970: 1)), count: 1234))],
            ["ü": "日本", "x": ["y": ["z": .text(String(repeating: "é", count: 999))]]],
        ]
        for payload in payloads {
            let document = Document(payload)
            #expect(document.byteCount == payload.encodedSize)
            #expect(Payload(document) == payload)
        }
    }

    @Test("A payload reads the integers of both sizes, and nothing that it cannot hold")
    func foreignTypes() {
        #expect(Payload(["a": .int32(5)]) == ["a": 5])
        #expect(Payload(["a": .binary(BSONBinary(UUID()))])?["a"]?.bytesValue?.count == 16)
        for value: BSONValue in [
            .objectID(ObjectID()), .minKey, .javascript("x"), .regularExpression(BSONRegularExpression(pattern: "a")),
            .array([.maxKey]), ["x": .undefined],
        ] {
            #expect(Payload(["a": value]) == nil)
        }
    }

    @Test("A collection is named by workspace and job, and fits every namespace")
    func names() throws {
        let (workspace, job) = (WorkspaceID(), JobID())
        let name = CollectionName.job(workspace, job).text
        #expect(name == "\(workspace)/\(job)")
        // The longest name of a database, a dot, and the name: 255 bytes on MongoDB, 235 on the development endpoint.
        #expect(63 + 1 + name.utf8.count <= 235)
        #expect(63 + 1 + CollectionName.integrations(workspace).text.utf8.count <= 235)
        let parsed = CollectionName.parse(name)
        #expect(parsed?.workspace == workspace)
        #expect(parsed?.job == job)
        for other in [
            "", "/", "\(workspace)", "\(workspace)/", "\(workspace)/integrations", "\(workspace)/\(job)/x",
            name.uppercased(), "x\(name)", " \(name)",
        ] {
            #expect(CollectionName.parse(other) == nil)
        }
    }

    @Test("Keys of equal UUIDs differ by kind, and sort as the UUIDs do")
    func keys() {
        let ids = (0..<50).map { _ in ActivityID(rawValue: UUID()) }.sorted()
        let keys = ids.map { StoredKind.activity.key($0) }
        #expect(keys == keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        #expect(Set(StoredKind.allCases.map { $0.key(ids[0]) }).count == 3)
    }

    @Test("Values of a filter stay values")
    func filters() throws {
        let filter = ActivityFilter.payload("model", equals: "$where").and(.kind(try Label("a/b")))
        let document = ListFilter(filter).document
        #expect(
            document == [
                "$and": [
                    ["kind": "activity"], ["label": "a/b"], ["payload.model": ["$eq": "$where"]],
                ]
            ])
    }

    @Test("Upgrades run from the version of a document to the newest")
    func upgrades() throws {
        struct Oops: Error {}
        let upgrades = DocumentUpgrades()
            .adding(to: .jobEvent) { $0["a"] = .int64(Int64(($0["a"]?.int ?? 0) + 1)) }
            .adding(to: .jobEvent) { $0["a"] = .int64(Int64(($0["a"]?.int ?? 0) * 10)) }
            .adding(to: .jobExecution) { _ in throw Oops() }
        #expect(upgrades.version(of: .jobEvent) == 3)
        #expect(upgrades.version(of: .activityMetadata) == 1)
        #expect(try upgrades.upgraded(["v": 1, "a": 1], .jobEvent)["a"]?.int == 20)
        #expect(try upgrades.upgraded(["a": 1], .jobEvent)["v"]?.int == 3)
        #expect(try upgrades.upgraded(["v": 2, "a": 1], .jobEvent)["a"]?.int == 10)
        #expect(try upgrades.upgraded(["v": 3, "a": 1], .jobEvent) == ["v": 3, "a": 1])
        for version: BSONValue in [0, -1, 4, "1", 1.5, nil] {
            let error = #expect(throws: PersistenceError.self) { try upgrades.upgraded(["v": version], .jobEvent) }
            #expect(error?.code == .decoding)
            #expect(error?.column == "v")
        }
        let error = #expect(throws: PersistenceError.self) { try upgrades.upgraded(["v": 1], .jobExecution) }
        #expect(error?.code == .decoding)
        #expect(error?.underlying is Oops)
    }

    @Test("An upgrade that changes what makes a document the one it is, is refused", arguments: ["_id", "kind", "rev"])
    func identity(_ key: String) throws {
        let document: Document = ["_id": "event/1", "kind": "event", "rev": 1, "v": 1]
        for change: @Sendable (inout Document) -> Void in [{ $0[key] = "x" }, { $0.removeValue(forKey: key) }] {
            let upgrades = DocumentUpgrades().adding(to: .jobEvent) { change(&$0) }
            let error = #expect(throws: PersistenceError.self) { try upgrades.upgraded(document, .jobEvent) }
            #expect(error?.code == .decoding)
            #expect(error?.column == key)
        }
    }
}
