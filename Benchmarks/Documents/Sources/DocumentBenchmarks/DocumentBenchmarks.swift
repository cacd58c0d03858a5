import BSON
import CDocumentLoops

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Compares documents with hand-written loops on libbson in C.
///
/// The two take turns within one process, so that whatever else the machine does hits both; the ratio is that of the
/// medians. Arguments: the number of rounds (default 15), and a word that the cases' names must contain.
@main
struct DocumentBenchmarks {
    static func main() throws {
        let arguments = CommandLine.arguments.dropFirst()
        let rounds = arguments.first.flatMap(Int.init) ?? 15
        let word = arguments.dropFirst().first ?? ""
        print("case                      C ns   Swift ns   ratio")
        for benchmark in try cases() where word.isEmpty || benchmark.name.contains(word) {
            benchmark.run(rounds: rounds)
        }
    }

    static func cases() throws -> [Benchmark] {
        let flat = Flat.example
        let nested = Nested.example
        let encoder = BSONEncoder()
        let decoder = BSONDecoder()
        let flatDocument = try encoder.encode(flat)
        let nestedDocument = try encoder.encode(nested)
        let flatBytes = flatDocument.byteArray
        let nestedBytes = nestedDocument.byteArray
        return [
            Benchmark("decode 10 fields") { count in
                flatBytes.withUnsafeBufferPointer { loops_decode_flat($0.baseAddress, $0.count, count) }
            } swift: { count in
                var sum: UInt64 = 0
                for _ in 0..<count {
                    let value = try decoder.decode(Flat.self, from: flatDocument)
                    sum &+= UInt64(value.visits) &+ UInt64(value.name.utf8.first ?? 0)
                }
                return sum
            },
            Benchmark("decode nested") { count in
                nestedBytes.withUnsafeBufferPointer { loops_decode_nested($0.baseAddress, $0.count, count) }
            } swift: { count in
                var sum: UInt64 = 0
                for _ in 0..<count {
                    let value = try decoder.decode(Nested.self, from: nestedDocument)
                    sum &+= UInt64(value.lines.count + value.tags.count)
                }
                return sum
            },
            Benchmark("encode 10 fields") { count in
                loops_encode_flat(count)
            } swift: { count in
                var sum: UInt64 = 0
                var flat = flat
                for _ in 0..<count {
                    flat.visits += 1
                    sum &+= UInt64(try encoder.encode(flat).byteCount)
                }
                return sum
            },
            Benchmark("encode nested") { count in
                loops_encode_nested(count)
            } swift: { count in
                var sum: UInt64 = 0
                for _ in 0..<count { sum &+= UInt64(try encoder.encode(nested).byteCount) }
                return sum
            },
            Benchmark("build 10 fields") { count in
                loops_encode_flat(count)
            } swift: { count in
                let tenant = BSONValue(flat.tenant)
                var sum: UInt64 = 0
                for index in 0..<count {
                    let document: Document = [
                        "_id": .objectID(flat._id), "name": .string(flat.name), "email": .string(flat.email),
                        "status": "active", "age": .int32(36), "visits": .int64(Int64(index)), "score": 0.75,
                        "active": true, "created": .date(BSONDate(millisecondsSince1970: 1_753_705_096_789)),
                        "tenant": tenant,
                    ]
                    sum &+= UInt64(document.byteCount)
                }
                return sum
            },
            Benchmark("find the last field") { count in
                flatBytes.withUnsafeBufferPointer { loops_find($0.baseAddress, $0.count, "tenant", count) }
            } swift: { count in
                var sum: UInt64 = 0
                for _ in 0..<count { sum &+= UInt64(flatDocument["tenant"]?.type.rawValue ?? 0) }
                return sum
            },
            Benchmark("walk over fields") { count in
                flatBytes.withUnsafeBufferPointer { loops_walk($0.baseAddress, $0.count, count) }
            } swift: { count in
                var sum: UInt64 = 0
                for _ in 0..<count {
                    for field in flatDocument.fields { sum &+= UInt64(field.type.rawValue) }
                }
                return sum
            },
            Benchmark("validate") { count in
                nestedBytes.withUnsafeBufferPointer { loops_validate($0.baseAddress, $0.count, count) }
            } swift: { count in
                for _ in 0..<count { try nestedDocument.validate() }
                return UInt64(count)
            },
        ]
    }
}
