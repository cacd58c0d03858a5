import BSON
import BenchmarkSupport
import CDocumentBaseline
import CMeasuring
import PersistenceCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Where the documents of the benchmark are, in a database of their own that goes when the run ends.
struct Place: Sendable {
    var url: String
    var database = "document_benchmarks"

    static let documents: Int64 = 100_000

    private func withC<Result>(_ body: (UnsafePointer<documents_place>) -> Result) -> Result {
        url.withCString { url in
            database.withCString { database in
                var place = documents_place(uri: url, database: database, count: Self.documents)
                return body(&place)
            }
        }
    }

    /// Makes the documents that are read.
    func prepare() throws {
        var error = [CChar](repeating: 0, count: WORKERS_ERROR)
        guard withC({ documents_prepare($0, &error) }) else { throw Failure(description: Self.text(error)) }
    }

    func drop() throws {
        var error = [CChar](repeating: 0, count: WORKERS_ERROR)
        guard withC({ documents_drop($0, &error) }) else { throw Failure(description: Self.text(error)) }
    }

    /// The C side; its calls block, so they run where nothing else waits: one contender runs at a time.
    func baseline(_ workload: documents_workload, threads: Int, seconds: Double) throws -> Sample {
        var result = baseline_result()
        guard withC({ documents_run($0, workload, Int32(threads), seconds, &result) }) else {
            throw Failure(description: "in C: \(BenchmarkSupport.text(of: result.error))")
        }
        return Sample(result)
    }

    var serverVersion: String {
        var version = [CChar](repeating: 0, count: 64)
        documents_server_version(url, &version)
        return Self.text(version)
    }

    static var libraryVersion: String { String(cString: documents_library_version()) }

    private static func text(_ characters: [CChar]) -> String {
        characters.withUnsafeBytes { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

/// The document that is read: the same fields as `item` in C.
struct Item: Codable, Sendable {
    var _id: Int64
    var name: String
    var email: String
    var status: String
    var age: Int32
    var visits: Int64
    var score: Double
    var active: Bool
    var created: Date
    var tenant: UUID
}

/// ``Item`` with its own reading.
struct DirectItem: Codable, Sendable {
    var _id: Int64
    var name: String
    var email: String
    var status: String
    var age: Int32
    var visits: Int64
    var score: Double
    var active: Bool
    var created: Date
    var tenant: UUID
}

extension DirectItem: DocumentReadable {
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
}

/// What the workloads need of a document, whichever way it is coded.
protocol Written: Codable, Sendable {
    var _id: ObjectID { get set }
    var visits: Int64 { get set }
    static var example: Self { get }
}

extension Flat: Written {}

extension DirectFlat: Written {
    static let example = DirectFlat(Flat.example)
}

/// The same for the documents that are read.
protocol Read: Codable, Sendable {
    var _id: Int64 { get }
}

extension Item: Read {}
extension DirectItem: Read {}
