import CBaseline
import Foundation

/// What was measured on, without names of hosts or users.
struct Machine: Encodable {
    var processor: String
    var cores: Int
    var memoryGB: Int
    var kernel: String
    var postgres: String
    var libpq: String
    var swift: String
    var plan: String
    var date: String

    init(server: String, plan: String) {
        processor = Self.processorName
        cores = ProcessInfo.processInfo.activeProcessorCount
        memoryGB = Int((Double(ProcessInfo.processInfo.physicalMemory) / 1e9).rounded())
        kernel = Self.kernelName
        postgres = server
        libpq = Self.version(Int(baseline_libpq_version()))
        swift = ProcessInfo.processInfo.environment["BENCHMARK_SWIFT"] ?? ""
        self.plan = plan
        date = Date.now.formatted(.iso8601.year().month().day())
    }

    static func version(_ number: Int) -> String {
        number == 0 ? "?" : "\(number / 10_000).\(number % 10_000)"
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
