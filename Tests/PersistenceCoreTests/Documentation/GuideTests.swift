import Foundation
import PersistenceCore
import Testing

@Suite("Guides")
struct GuideTests {
    private static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    @Test(
        "every code block of a guide is compiled code",
        arguments: ["Errors", "Telemetry", "DeadlinesAndRetries", "Paging", "Health"]
    )
    func codeBlocks(guide: String) throws {
        let catalog = Self.root.appending(path: "Sources/PersistenceCore/Documentation.docc/Guides")
        let text = try String(contentsOf: catalog.appending(path: "\(guide).md"), encoding: .utf8)
        let examples = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "GuideExamples.swift")
        let compiled = try String(contentsOf: examples, encoding: .utf8)
        // Every second part is inside a fence.
        let blocks = text.components(separatedBy: "```").enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
        #expect(!blocks.isEmpty)
        for block in blocks {
            let code = try #require(block.hasPrefix("swift\n") ? block.dropFirst("swift\n".count) : nil)
            #expect(compiled.contains(code))
        }
    }

    @Test("the example of the guide to errors says what it promises")
    func errors() {
        let taken = PersistenceError(.uniqueViolation).with { $0.constraint = "users_email_key" }
        #expect(describe(taken) == "This address is taken.")
        #expect(describe(PersistenceError(.uniqueViolation)) == "Something went wrong.")
    }
}
