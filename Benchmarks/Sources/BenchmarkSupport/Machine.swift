import Foundation

/// What was measured on, without names of hosts or users.
package struct Machine: Encodable {
    private let processor: String
    private let cores: Int
    private let memoryGB: Int
    private let kernel: String
    private let swift: String
    private let plan: String
    private let date: String
    /// The versions of servers and libraries, each written as a member of its own.
    private let versions: [String: String]

    package init(plan: String, versions: [String: String]) {
        processor = Self.processorName
        cores = ProcessInfo.processInfo.activeProcessorCount
        memoryGB = Int((Double(ProcessInfo.processInfo.physicalMemory) / 1e9).rounded())
        kernel = Self.kernelName
        swift = ProcessInfo.processInfo.environment["BENCHMARK_SWIFT"] ?? ""
        self.plan = plan
        date = Date.now.formatted(.iso8601.year().month().day())
        self.versions = versions
    }

    private struct Key: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }

        init(_ name: String) {
            stringValue = name
        }

        init?(stringValue: String) {
            self.init(stringValue)
        }

        init?(intValue: Int) {
            return nil
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        let facts = [
            "processor": processor, "kernel": kernel, "swift": swift, "plan": plan, "date": date,
        ]
        for (name, fact) in facts.merging(versions, uniquingKeysWith: { $1 }) {
            try container.encode(fact, forKey: Key(name))
        }
        try container.encode(cores, forKey: Key("cores"))
        try container.encode(memoryGB, forKey: Key("memoryGB"))
    }

    private static var processorName: String {
        let lines = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?.split(separator: "\n") ?? []
        let name = lines.first { $0.hasPrefix("model name") }?.split(separator: ":").last
        return name.map { $0.trimmingCharacters(in: .whitespaces) } ?? "?"
    }

    private static var kernelName: String {
        var name = utsname()
        uname(&name)
        return "\(text(of: name.sysname)) \(text(of: name.release).prefix { $0.isNumber || $0 == "." })"
    }
}
