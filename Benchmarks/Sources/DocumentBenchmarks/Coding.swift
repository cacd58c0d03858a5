import BSON
import BenchmarkSupport
import CDocumentBaseline
import CMeasuring

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Compares documents and their coders with hand-written loops on libbson in C, without a server.
///
/// The C side does what a C programmer writes: it iterates, compares keys, copies texts into memory of its own, and frees
/// them. It checks no UTF-8; the Swift side does.
struct Coding {
    /// One piece of work in two forms, each of which does it so many times and returns a number that depends on it.
    private struct Case {
        let name: String
        let baseline: (Int) -> UInt64
        let swift: (Int) throws -> UInt64

        init(_ name: String, baseline: @escaping (Int) -> UInt64, swift: @escaping (Int) throws -> UInt64) {
            self.name = name
            self.baseline = baseline
            self.swift = swift
        }
    }

    /// The name of the figure that has a case's target.
    static func ofC(_ name: String) -> String { "\(name) · time of C" }

    /// Measures the cases in turns, round by round; a ratio is the median of the rounds' ratios.
    func measure(rounds: Int, into report: inout Report) throws {
        let count = 10_000
        var times: [String: [(c: Double, swift: Double)]] = [:]
        let cases = try Self.cases()
        for round in 0...rounds {
            for one in cases {
                progress("coding, round \(round) of \(rounds): \(one.name)")
                let begin = baseline_now()
                let expected = one.baseline(count)
                let middle = baseline_now()
                let result = try one.swift(count)
                let end = baseline_now()
                guard expected > 0, result > 0 else { throw Failure(description: "\(one.name): no result") }
                // The first round warms caches and is not counted.
                if round > 0 { times[one.name, default: []].append((middle - begin, end - middle)) }
            }
        }
        for one in cases {
            guard let times = times[one.name] else { continue }
            report.add(Self.ofC(one.name), median(times.map { $0.swift / $0.c }), "ratio")
            report.add("\(one.name) · time", median(times.map(\.swift)) / Double(count) * 1e9, "ns")
            report.add("\(one.name) · time in C", median(times.map(\.c)) / Double(count) * 1e9, "ns")
        }
    }

    private static func decoding(
        _ name: String, _ bytes: [UInt8], _ baseline: @escaping (UnsafePointer<UInt8>?, Int, Int) -> UInt64,
        _ decode: @escaping () throws -> UInt64
    ) -> Case {
        Case(name) { count in
            bytes.withUnsafeBufferPointer { baseline($0.baseAddress, $0.count, count) }
        } swift: { count in
            var sum: UInt64 = 0
            for _ in 0..<count { sum &+= try decode() }
            return sum
        }
    }

    private static func cases() throws -> [Case] {
        let flat = Flat.example
        let nested = Nested.example
        let encoder = BSONEncoder()
        let decoder = BSONDecoder()
        let flatDocument = try encoder.encode(flat)
        let nestedDocument = try encoder.encode(nested)
        let flatBytes = flatDocument.byteArray
        let nestedBytes = nestedDocument.byteArray
        return [
            decoding("decode 10 fields", flatBytes, loops_decode_flat) {
                let value = try decoder.decode(Flat.self, from: flatDocument)
                return UInt64(value.visits) &+ UInt64(value.name.utf8.first ?? 0)
            },
            decoding("decode nested", nestedBytes, loops_decode_nested) {
                let value = try decoder.decode(Nested.self, from: nestedDocument)
                return UInt64(value.lines.count + value.tags.count)
            },
            decoding("decode 10 fields, DocumentReadable", flatBytes, loops_decode_flat) {
                let value = try decoder.decode(DirectFlat.self, from: flatDocument)
                return UInt64(value.visits) &+ UInt64(value.name.utf8.first ?? 0)
            },
            decoding("decode nested, DocumentReadable", nestedBytes, loops_decode_nested) {
                let value = try decoder.decode(DirectNested.self, from: nestedDocument)
                return UInt64(value.lines.count + value.tags.count)
            },
            Case("encode 10 fields") { count in
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
            Case("encode nested") { count in
                loops_encode_nested(count)
            } swift: { count in
                var sum: UInt64 = 0
                for _ in 0..<count { sum &+= UInt64(try encoder.encode(nested).byteCount) }
                return sum
            },
            Case("encode 10 fields, DocumentWritable") { count in
                loops_encode_flat(count)
            } swift: { count in
                var sum: UInt64 = 0
                var flat = DirectFlat(flat)
                for _ in 0..<count {
                    flat.visits += 1
                    sum &+= UInt64(try encoder.encode(flat).byteCount)
                }
                return sum
            },
            Case("encode nested, DocumentWritable") { count in
                loops_encode_nested(count)
            } swift: { count in
                let nested = DirectNested(nested)
                var sum: UInt64 = 0
                for _ in 0..<count { sum &+= UInt64(try encoder.encode(nested).byteCount) }
                return sum
            },
            Case("build 10 fields") { count in
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
            Case("find the last field") { count in
                flatBytes.withUnsafeBufferPointer { loops_find($0.baseAddress, $0.count, "tenant", count) }
            } swift: { count in
                var sum: UInt64 = 0
                for _ in 0..<count { sum &+= UInt64(flatDocument["tenant"]?.type.rawValue ?? 0) }
                return sum
            },
            Case("walk over fields") { count in
                flatBytes.withUnsafeBufferPointer { loops_walk($0.baseAddress, $0.count, count) }
            } swift: { count in
                var sum: UInt64 = 0
                for _ in 0..<count {
                    for field in flatDocument.fields { sum &+= UInt64(field.type.rawValue) }
                }
                return sum
            },
            Case("validate") { count in
                nestedBytes.withUnsafeBufferPointer { loops_validate($0.baseAddress, $0.count, count) }
            } swift: { count in
                for _ in 0..<count { try nestedDocument.validate() }
                return UInt64(count)
            },
        ]
    }
}
