// Writes the Swift code blocks of Markdown documents as source files that a compiler can check. Run by
// Scripts/check-docs, which describes the rules: extract-snippets OUTPUT DOCUMENT…

import Foundation

struct Line {
    var text: String
    var number: Int
}

struct Block {
    var lines: [Line]
    var setup: [Line] = []
    var start: Int { lines.first?.number ?? 0 }

    var isManifest: Bool {
        lines.contains { $0.text.contains("// Package.swift") || $0.text.contains(".package(") }
    }
}

struct ExtractionError: Error, CustomStringConvertible {
    var description: String
}

// MARK: Markdown

/// The Swift blocks of a document, each with the context that a comment before it gives.
func blocks(of document: String, text: String) throws -> [Block] {
    var blocks: [Block] = []
    var setup: [Line] = []
    var continues = false
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        .enumerated().map { Line(text: String($0.element), number: $0.offset + 1) }
    var index = 0
    while index < lines.count {
        let line = lines[index]
        let trimmed = line.text.trimmingCharacters(in: .whitespaces)
        func fault(_ message: String) -> ExtractionError {
            ExtractionError(description: "\(document):\(line.number): error: \(message)")
        }
        index += 1
        if trimmed.hasPrefix("<!-- snippet:") {
            let word = trimmed.dropFirst("<!-- snippet:".count).replacingOccurrences(of: "-->", with: "")
                .trimmingCharacters(in: .whitespaces)
            switch word {
            case "continues": continues = true
            case "hidden-setup":
                while index < lines.count, lines[index].text.trimmingCharacters(in: .whitespaces) != "-->" {
                    setup.append(lines[index])
                    index += 1
                }
                index += 1
            default:
                throw fault("snippet: \(word) is not known")
            }
        } else if trimmed.hasPrefix("```") {
            let fence = trimmed.prefix { $0 == "`" }
            let language = trimmed.dropFirst(fence.count).prefix { $0.isLetter }
            let indentation = line.text.prefix { $0 == " " }.count
            var content: [Line] = []
            var closed = false
            while index < lines.count, !closed {
                let inner = lines[index]
                index += 1
                if inner.text.trimmingCharacters(in: .whitespaces) == fence {
                    closed = true
                } else {
                    let spaces = min(indentation, inner.text.prefix { $0 == " " }.count)
                    content.append(Line(text: String(inner.text.dropFirst(spaces)), number: inner.number))
                }
            }
            guard closed else {
                throw fault("this code block is never closed")
            }
            guard language == "swift" else { continue }
            var block = Block(lines: content, setup: setup)
            if continues {
                guard let previous = blocks.last else {
                    throw fault("there is no block to continue")
                }
                // Its types are at file level of the same module already.
                let earlier = Parts(previous.setup + previous.lines)
                block.setup = earlier.imports + earlier.statements + setup
            }
            blocks.append(block)
            setup = []
            continues = false
        } else if !trimmed.isEmpty, !setup.isEmpty || continues {
            throw fault("a snippet comment belongs right before its block")
        }
    }
    return blocks
}

// MARK: Swift

/// Follows brackets through lines of Swift, ignoring those in strings and comments.
struct Nesting {
    private(set) var depth = 0
    private(set) var opened = false
    private var inLongString = false
    private var inComment = false

    mutating func read(_ line: String) {
        var rest = Substring(line)
        var inString = false
        while let character = rest.first {
            if inComment {
                if rest.hasPrefix("*/") { inComment = false }
            } else if inLongString {
                if rest.hasPrefix("\"\"\"") {
                    inLongString = false
                    rest = rest.dropFirst(2)
                }
            } else if inString {
                if character == "\\" {
                    rest = rest.dropFirst()
                } else if character == "\"" {
                    inString = false
                }
            } else if rest.hasPrefix("//") {
                return
            } else if rest.hasPrefix("/*") {
                inComment = true
            } else if rest.hasPrefix("\"\"\"") {
                inLongString = true
                rest = rest.dropFirst(2)
            } else if character == "\"" {
                inString = true
            } else if "{[(".contains(character) {
                depth += 1
                opened = opened || character == "{"
            } else if "}])".contains(character) {
                depth -= 1
            }
            rest = rest.dropFirst()
        }
    }

    var isInside: Bool { depth > 0 || inLongString || inComment }
}

/// The parts of a block that must stand at file level, and those that make the body of a function.
struct Parts {
    var imports: [Line] = []
    var declarations: [Line] = []
    var statements: [Line] = []

    init(_ lines: [Line]) {
        let modifiers: Set<Substring> = [
            "public", "package", "internal", "fileprivate", "private", "final", "indirect", "nonisolated", "open",
        ]
        let keywords: Set<Substring> = ["struct", "enum", "class", "actor", "protocol", "extension"]
        var waiting: [Line] = []
        var index = 0
        while index < lines.count {
            let line = lines[index]
            let words = line.text.split(whereSeparator: { " (<:".contains($0) }).filter { !$0.hasPrefix("@") }
            let word = words.first { !modifiers.contains($0) } ?? ""
            if line.text.first == "@", word.isEmpty {
                // An attribute on a line of its own belongs to what follows.
                waiting.append(line)
                index += 1
            } else if word == "import" {
                imports += waiting + [line]
                waiting = []
                index += 1
            } else {
                let isDeclaration = keywords.contains(word) && line.text.first != " "
                var nesting = Nesting()
                var chunk = waiting
                waiting = []
                repeat {
                    nesting.read(lines[index].text)
                    chunk.append(lines[index])
                    index += 1
                } while index < lines.count && (nesting.isInside || (isDeclaration && !nesting.opened))
                if isDeclaration { declarations += chunk } else { statements += chunk }
            }
        }
        statements += waiting
    }
}

/// The lines as source whose errors are reported at their place in the document.
func source(_ lines: [Line], of document: String) -> String {
    var result = ""
    var expected = -1
    for line in lines {
        if line.number != expected { result += "#sourceLocation(file: \"\(document)\", line: \(line.number))\n" }
        result += line.text + "\n"
        expected = line.number + 1
    }
    return lines.isEmpty ? "" : result + "#sourceLocation()\n"
}

func file(for block: Block, of document: String, modules: [String]) -> String {
    let parts = Parts(block.setup + block.lines)
    // A block that shows imports of the library shows all that its reader needs.
    let own = Set(Parts(block.lines).imports.compactMap { $0.text.split(separator: " ").last.map(String.init) })
    let modules = own.isDisjoint(with: modules) ? modules : []
    return modules.map { "import \($0)\n" }.joined()
        + source(parts.imports, of: document)
        + source(parts.declarations, of: document)
        + "func snippet\(block.start)() async throws {\n"
        + source(parts.statements, of: document)
        + "}\n"
}

/// A manifest as it is, or one made of the dependencies, products and targets that a block shows of it.
func manifest(for block: Block) -> String {
    let text = block.lines.map(\.text).joined(separator: "\n")
    let tools = text.contains("swift-tools-version") ? "" : "// swift-tools-version: 6.2\n"
    if text.contains("Package(") && text.contains("import PackageDescription") { return tools + text }
    var dependencies: [String] = []
    var targets: [String] = []
    var products: [String] = []
    var index = 0
    while index < block.lines.count {
        let trimmed = block.lines[index].text.trimmingCharacters(in: .whitespaces)
        // Labels such as `dependencies: [` and their closing brackets only say where the entries go.
        guard let name = [".package(", ".product(", ".target(", ".executableTarget("].first(where: trimmed.hasPrefix)
        else {
            index += 1
            continue
        }
        var nesting = Nesting()
        var entry = ""
        repeat {
            nesting.read(block.lines[index].text)
            entry += block.lines[index].text + "\n"
            index += 1
        } while index < block.lines.count && nesting.isInside
        var value = entry.trimmingCharacters(in: .whitespacesAndNewlines)
        if value.hasSuffix(",") { value.removeLast() }
        switch name {
        case ".package(": dependencies.append(value)
        case ".product(": products.append(value)
        default: targets.append(value)
        }
    }
    if !products.isEmpty {
        targets.append(".target(name: \"Fragment\", dependencies: [\(products.joined(separator: ", "))])")
    }
    return """
        \(tools)import PackageDescription
        let package = Package(
            name: "fragment",
            dependencies: [\(dependencies.joined(separator: ", "))],
            targets: [\(targets.joined(separator: ", "))]
        )

        """
}

@main
struct ExtractSnippets {
    static func main() {
        do {
            try run(Array(CommandLine.arguments.dropFirst()))
        } catch {
            FileHandle.standardError.write(Data("\(error)\n".utf8))
            exit(1)
        }
    }

    static func run(_ arguments: [String]) throws {
        guard let output = arguments.first else {
            throw ExtractionError(description: "usage: extract-snippets OUTPUT DOCUMENT…")
        }
        // Every library module has a folder with a DocC catalog; that is what makes it one here.
        let modules = try FileManager.default.contentsOfDirectory(atPath: "Sources").sorted().filter {
            FileManager.default.fileExists(atPath: "Sources/\($0)/Documentation.docc")
        }
        var count = 0
        for document in arguments.dropFirst() {
            let text = try String(contentsOfFile: document, encoding: .utf8)
            let folder = document.replacingOccurrences(of: "Sources/", with: "")
                .replacingOccurrences(of: "Documentation.docc/", with: "")
                .replacingOccurrences(of: ".md", with: "")
            let name = "Snippets_" + String(folder.map { $0.isLetter || $0.isNumber ? $0 : "_" })
            for block in try blocks(of: document, text: text) {
                count += 1
                if block.isManifest {
                    let path = "\(output)/manifests/\(name)_\(block.start)"
                    try write(manifest(for: block), to: "\(path)/Package.swift")
                    try write("\(document):\(block.start)", to: "\(path)/origin.txt")
                } else {
                    let source = file(for: block, of: document, modules: modules)
                    try write(source, to: "\(output)/\(name)/Block\(block.start).swift")
                    try write(
                        "func given<T>(_ type: T.Type = T.self) -> T { fatalError() }\n",
                        to: "\(output)/\(name)/Given.swift")
                }
            }
        }
        print("\(count) code blocks in \(arguments.count - 1) documents")
    }

    static func write(_ text: String, to path: String) throws {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }
}
