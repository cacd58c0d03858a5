import Foundation

/// What the service says to whoever runs it, unbuffered, so that it stays in order with progress on the other stream.
enum Console {
    /// Begins a step.
    static func step(_ title: String) {
        write("\n== \(title)\n")
    }

    /// Says something about the step.
    static func line(_ text: String) {
        write("   " + text.replacing("\n", with: "\n   ") + "\n")
    }

    /// Shows the first lines of a longer list.
    static func list(_ lines: [String], of count: Int) {
        for text in lines { line("    \(text)") }
        if count > lines.count { line("    … and \(count - lines.count) more") }
    }

    private static func write(_ text: String) {
        FileHandle.standardOutput.write(Data(text.utf8))
    }
}

extension Duration {
    /// The duration in milliseconds, with two decimals.
    var milliseconds: String {
        let hundredths = Int((self / .microseconds(10)).rounded())
        let decimals = String(hundredths % 100)
        return "\(hundredths / 100).\(decimals.count < 2 ? "0" : "")\(decimals) ms"
    }
}
