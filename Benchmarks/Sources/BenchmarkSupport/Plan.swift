import Foundation

/// How much is measured.
package struct Plan: Sendable, CustomStringConvertible {
    package var rounds: Int
    package var seconds: Double
    /// Whether a round that does not count comes first.
    package var warmsUp: Bool
    /// In which rounds the peers run: every, or every other one.
    package var roundsPerPeer: Int

    package init(rounds: Int, seconds: Double, warmsUp: Bool, roundsPerPeer: Int) {
        self.rounds = rounds
        self.seconds = seconds
        self.warmsUp = warmsUp
        self.roundsPerPeer = roundsPerPeer
    }

    package var description: String { "\(rounds) rounds of \(seconds) s" }

    package func includesPeers(_ round: Int) -> Bool { (round - 1) % roundsPerPeer == 0 }

    package static let short = Plan(rounds: 5, seconds: 0.4, warmsUp: false, roundsPerPeer: 2)
    package static let full = Plan(rounds: 5, seconds: 2, warmsUp: true, roundsPerPeer: 1)
}

package func progress(_ text: String) {
    guard isatty(STDERR_FILENO) == 1 else { return }
    FileHandle.standardError.write(Data("\r\u{1B}[K\(text)".utf8))
}
