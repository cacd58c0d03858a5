import Foundation
import PostgresEngine
import Testing

/// The corpora of the fuzzers, without a fuzzer: what they have found once stays fixed.
@Suite("Fuzzing corpora")
struct CorpusTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Corpus").standardizedFileURL

    private static func inputs(_ target: FuzzTarget) throws -> [(name: String, bytes: [UInt8])] {
        let folder = folder.appending(path: target.rawValue)
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map { name in
            (name, Array(try Data(contentsOf: folder.appending(path: name))))
        }
    }

    private static func run(_ target: FuzzTarget, _ bytes: [UInt8], _ what: @autoclosure () -> String) {
        do {
            try bytes.withUnsafeBytes { try target.run($0) }
        } catch {
            Issue.record("\(target), \(what()): \(error); the input is \(Data(bytes).base64EncodedString())")
        }
    }

    @Test("every input keeps its properties, and does when it is cut short or changed", arguments: FuzzTarget.allCases)
    func corpus(_ target: FuzzTarget) throws {
        let inputs = try Self.inputs(target)
        #expect(inputs.count >= 2)
        for (name, bytes) in inputs {
            Self.run(target, bytes, name)
            for length in Self.some(of: bytes.count) {
                Self.run(target, Array(bytes.prefix(length)), "\(name), its first \(length) bytes")
            }
            for index in Self.some(of: bytes.count) {
                for value in [0x00, 0x7F, 0xFF, bytes[index] &+ 1, bytes[index] &- 1] as [UInt8] {
                    var changed = bytes
                    changed[index] = value
                    Self.run(target, changed, "\(name), byte \(index) made \(value)")
                }
            }
        }
    }

    /// All numbers below a limit, or about eighty of them.
    private static func some(of limit: Int) -> StrideTo<Int> {
        stride(from: 0, to: limit, by: limit / 80 + 1)
    }

    @Test("a property that does not hold is seen")
    func finding() {
        #expect(throws: Finding.self) { try require(false, "no") }
        // A value that is read and not sent back as it was.
        let changing = ValueCheck(Changing.self)
        #expect(throws: Finding.self) {
            try [1].withBytes { (bytes) throws(Finding) in try changing.check(bytes, .bool, .binary) }
        }
    }

    @Test("the samples of the types are inputs of the corpora")
    func seeds() throws {
        for seed in try FuzzSeeds.all() {
            let names = try Self.inputs(seed.target).map(\.name)
            #expect(names.contains("seed-" + seed.name))
        }
    }
}
