import BSON
import BenchmarkSupport
import CDocumentBaseline
import CMeasuring
import MongoEngine

/// Makes comparisons out of their names, such as `find×8`.
struct DocumentSuite {
    var place: Place
    /// The Python that has pymongo and the folder of its script; `nil` leaves it out.
    var peer: (python: String, script: String)?

    static let workloads = ["insert", "find", "update", "bulk", "scan"]

    /// What runs unless something else is asked for.
    static let all = workloads.flatMap { ["\($0)×1", "\($0)×8"] }

    static let help = """
        insert writes one document of ten fields, find reads one by its _id into a struct, update increments a field of \
        one, bulk inserts 1,000 in one call, scan reads 100,000 into structs (each of n tasks its part). xN is the number \
        of tasks. coding compares BSONDecoder and BSONEncoder with hand-written loops on libbson.
        """

    func comparison(_ name: String) throws -> Comparison {
        let parts = name.split(whereSeparator: { $0 == "x" || $0 == "×" })
        guard parts.count == 2, let tasks = Int(parts[1]), (1...100).contains(tasks),
            let workload = Self.workloads.first(where: { $0 == parts[0] })
        else {
            throw Failure(description: "\(name) is not a workload such as find×8")
        }
        let (c, coded) = Self.sides(workload, tasks: tasks, writing: Flat.self, reading: Item.self)
        let (_, direct) = Self.sides(workload, tasks: tasks, writing: DirectFlat.self, reading: DirectItem.self)
        let isLarge = workload == "bulk" || workload == "scan"
        let engine = try DocumentEngine(place: place, tasks: tasks, warmUp: isLarge ? 1 : 20)
        var contenders = [
            Contender(Name.c) { [place] in try place.baseline(c, threads: tasks, seconds: $0) },
            Contender(Name.globalPool) { try await engine.run(seconds: $0, onExecutor: false, coded) },
            Contender(Name.executor) { try await engine.run(seconds: $0, onExecutor: true, coded) },
        ]
        // An update has nothing to code.
        if workload != "update" {
            contenders.append(
                Contender(Name.direct) { try await engine.run(seconds: $0, onExecutor: true, direct) })
        }
        if let peer {
            contenders.append(
                Contender(Name.pymongo, isPeer: true) { [place] seconds in
                    try PythonPeer.sample(
                        peer.python, peer.script,
                        ["--workload", workload, "--connections", "\(tasks)", "--seconds", "\(seconds)"],
                        environment: ["BENCHMARK_URL": place.url, "BENCHMARK_DATABASE": place.database])
                })
        }
        return Comparison(name: "\(workload)×\(tasks)", contenders: contenders)
    }

    private static let id = Field<Int64>("_id")

    private static func sides<Out: Written, In: Read>(
        _ workload: String, tasks: Int, writing out: Out.Type, reading in: In.Type
    ) -> (documents_workload, Work) {
        switch workload {
        case "insert":
            return (
                DOCUMENTS_INSERT,
                { database, _, loop in
                    let inserts = try database.collection("inserts", of: Out.self)
                    var flat = Out.example
                    try await loop.run { row in
                        flat._id = ObjectID()
                        flat.visits = row
                        try await inserts.insertOne(flat)
                    }
                }
            )
        case "find":
            return (
                DOCUMENTS_FIND,
                { database, _, loop in
                    let items = try database.collection("items", of: In.self)
                    try await loop.run { row in
                        guard try await items.findOne(id == row)?._id == row else {
                            throw Failure(description: "document \(row) is missing")
                        }
                    }
                }
            )
        case "update":
            return (
                DOCUMENTS_UPDATE,
                { database, _, loop in
                    let items = try database.collection("items", of: In.self)
                    try await loop.run { row in
                        try await items.updateOne(id == row, .increment("visits", by: 1 as Int64))
                    }
                }
            )
        case "bulk":
            return (
                DOCUMENTS_BULK,
                { database, _, loop in
                    let inserts = try database.collection("inserts", of: Out.self)
                    try await loop.run { _ in
                        let writes = (0..<Int64(DOCUMENTS_OF_BULK)).map { number in
                            var flat = Out.example
                            flat._id = ObjectID()
                            flat.visits = number
                            return MongoWrite.insert(flat)
                        }
                        try await inserts.bulkWrite(writes)
                    }
                }
            )
        default:
            return (
                DOCUMENTS_SCAN,
                { database, worker, loop in
                    let items = try database.collection("items", of: In.self)
                    let from = 1 + Place.documents * Int64(worker) / Int64(tasks)
                    let to = 1 + Place.documents * Int64(worker + 1) / Int64(tasks)
                    try await loop.run { _ in
                        var count: Int64 = 0
                        for try await item in items.find(id >= from && id < to) where item._id > 0 { count += 1 }
                        guard count == to - from else { throw Failure(description: "documents are missing") }
                    }
                }
            )
        }
    }
}

/// The contenders' names, which the targets know them by.
enum Name {
    static let c = "libmongoc in C, a thread each"
    static let globalPool = "global pool"
    static let executor = "database's executor"
    static let direct = "executor, DocumentCodable"
    static let pymongo = "pymongo, a thread each"
}

/// Every target, in one place, by the figure's name.
enum Targets {
    static let all: [String: Target] = {
        var all: [String: Target] = [:]
        for workload in DocumentSuite.workloads {
            for name in [Name.globalPool, Name.executor, Name.direct] {
                all[Figure.throughput("\(workload)×8", name)] = .atLeast(0.95)
                for tasks in [1, 8] { all[Figure.cpu("\(workload)×\(tasks)", name)] = .atMost(1.3) }
            }
        }
        for shape in ["10 fields", "nested"] {
            for way in ["", ", DocumentReadable"] { all[Coding.ofC("decode \(shape)\(way)")] = .atMost(2) }
        }
        return all
    }()
}
