import Foundation

/// Progress of a long step, on the standard error stream: a line that is rewritten on a terminal, and one for every tenth
/// part elsewhere, so that a log stays short.
struct Progress {
    private let unit: String
    private let start = ContinuousClock.now
    private let isTerminal = isatty(FileHandle.standardError.fileDescriptor) == 1
    private var shownTenths = 0

    init(_ unit: String) {
        self.unit = unit
    }

    mutating func report(_ count: Int, fraction: Double) {
        let tenths = Int(fraction * 10)
        guard isTerminal || tenths > shownTenths else { return }
        shownTenths = tenths
        let text = "   \(count) \(unit), \(Int(fraction * 100)) %"
        write(isTerminal ? "\r\u{1B}[K" + text : text + "\n")
    }

    func finish(_ count: Int) {
        if isTerminal { write("\r\u{1B}[K") }
        let elapsed = start.duration(to: .now)
        let rate = Int(Double(count) / max(elapsed / .seconds(1), 0.001))
        Console.line("\(count) \(unit) in \(elapsed.milliseconds), \(rate) per second")
    }

    private func write(_ text: String) {
        FileHandle.standardError.write(Data(text.utf8))
    }
}
