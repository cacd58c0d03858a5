import Foundation
import Testing

/// Something that no server says, in answer to a statement that returns a number.
struct ProtocolLie: Sendable, CustomTestStringConvertible {
    /// What may come of it.
    enum Outcome: Sendable {
        /// The number, because the lie does no harm.
        case seven
        /// An error: anything else would be a wrong answer.
        case error
        /// Either.
        case either
    }

    /// How long a statement may wait that is answered with the lie: no time is short for the truth.
    var limit: Duration { outcome == .seven ? .seconds(60) : .milliseconds(500) }

    let testDescription: String
    let answers: ProtocolAnswers
    let outcome: Outcome
    /// Whether libpq 15 loses the rows that it has begun to gather, because another result takes their place.
    private(set) var leaksInLibrary = false

    /// The same lie, of which a leak checker would report what libpq loses.
    private var leakingInLibrary: ProtocolLie {
        var lie = self
        lie.leaksInLibrary = true
        return lie
    }

    init(
        _ name: String, _ outcome: Outcome = .error, _ change: (inout ProtocolAnswers) -> Void
    ) {
        testDescription = name
        var answers = ProtocolAnswers()
        change(&answers)
        self.answers = answers
        self.outcome = outcome
    }

    private typealias Message = ProtocolMessage

    /// A lie in the rows.
    private static func rows(_ name: String, _ bytes: [UInt8]) -> ProtocolLie {
        ProtocolLie(name) { $0.execute = bytes + Message.commandComplete("SELECT 1") }
    }

    /// Every lie; with a leak checker, only those after which libpq frees everything.
    static let all: [ProtocolLie] = {
        let all = rowLies + descriptionLies + lengthLies + sequenceLies + floods + errorLies
        let checksLeaks = ProcessInfo.processInfo.environment["LSAN_OPTIONS"] != nil
        return checksLeaks ? all.filter { !$0.leaksInLibrary } : all
    }()

    private static let rowLies: [ProtocolLie] = [
        rows("NULL where none may be", Message.dataRow([nil])),
        rows("too few columns in a row", Message.dataRow([])),
        rows("too many columns in a row", Message.dataRow([Message.number(7 as Int32), Message.number(8 as Int32)])),
        rows("an integer of three bytes", Message.dataRow([[0, 0, 7]])),
        rows("an integer of no bytes", Message.dataRow([[]])),
        rows("an integer of five bytes", Message.dataRow([[0, 0, 0, 0, 7]])),
        rows("a row with a column count of -1", Message.make("D", [0xFF, 0xFF])),
        rows("a row whose value is longer than its message", Message.make("D", [0, 1, 0x7F, 0xFF, 0xFF, 0xFF, 0, 0])),
        rows("a row whose value has the length -2", Message.make("D", [0, 1, 0xFF, 0xFF, 0xFF, 0xFE])),
        rows("a row with bytes left over", Message.make("D", [0, 1, 0, 0, 0, 4, 0, 0, 0, 7, 9, 9])),
        rows("a row of one byte", Message.make("D", [0])),
        rows("a second row that is cut short", Message.seven + Message.make("D", [0, 1, 0, 0])),
    ]

    private static let descriptionLies: [ProtocolLie] = [
        ProtocolLie("text format where binary was asked for") {
            $0.describe = Message.rowDescription(format: 0)
            $0.execute = Message.dataRow([Array("7".utf8)]) + Message.commandComplete("SELECT 1")
        },
        ProtocolLie("a format that does not exist", .either) { $0.describe = Message.rowDescription(format: 2) },
        ProtocolLie("another type") { $0.describe = Message.rowDescription(type: 25) },
        ProtocolLie("a type that does not exist") { $0.describe = Message.rowDescription(type: 4_294_967_295) },
        ProtocolLie("a size that is not the type's", .seven) { $0.describe = Message.rowDescription(size: -30_000) },
        ProtocolLie("no columns") { $0.describe = Message.rowDescription([]) },
        ProtocolLie("two columns of one name") { $0.describe = Message.rowDescription(["n", "n"]) },
        ProtocolLie("a name that is not UTF-8", .seven) {
            var bytes = Message.rowDescription(["?"])
            bytes[7] = 0xFF
            $0.describe = bytes
        },
        ProtocolLie("a description that is cut short") { $0.describe = Message.make("T", [0, 1, 0x61]) },
        ProtocolLie("a description with a count of -1") { $0.describe = Message.make("T", [0xFF, 0xFF]) },
        ProtocolLie("a description of 32767 columns that has one") {
            $0.describe = Message.make("T", [0x7F, 0xFF] + Array(Message.rowDescription().dropFirst(7)))
        },
        ProtocolLie("no description") { $0.describe = [] },
        ProtocolLie("no description, said so") { $0.describe = Message.noData },
        ProtocolLie("two descriptions", .either) { $0.describe += Message.rowDescription() },
    ]

    private static let lengthLies: [ProtocolLie] = [
        ProtocolLie("a length of 0") { $0.execute = Message.make("D", [0, 0], length: 0) },
        ProtocolLie("a length of 3") { $0.execute = Message.make("C", [], length: 3) },
        ProtocolLie("a negative length") { $0.execute = Message.make("D", [0, 0], length: -1) },
        ProtocolLie("a length of two gigabytes") { $0.execute = Message.make("D", [0, 1], length: .max) },
        ProtocolLie("a tag of two gigabytes") { $0.execute = Message.make("C", [0, 1], length: .max) },
        ProtocolLie("a message that is cut off by the end") {
            $0.execute = Array(Message.seven.dropLast(2))
            $0.closesAfterExecute = true
        },
        ProtocolLie("the end between two messages") {
            $0.execute = Message.seven
            $0.closesAfterExecute = true
        },
        ProtocolLie("a ReadyForQuery without its byte", .either) { $0.sync = Message.make("Z") },
        ProtocolLie("a ReadyForQuery of an unknown state", .either) { $0.sync = Message.readyForQuery("?") },
    ]

    private static let sequenceLies: [ProtocolLie] = [
        ProtocolLie("an unknown type of message") { $0.execute = Message.make("?", [1, 2, 3]) },
        ProtocolLie("noise") { $0.execute = (0..<400).map { UInt8(truncatingIfNeeded: $0 &* 37 ^ 0x5A) } },
        ProtocolLie("zeros") { $0.execute = [UInt8](repeating: 0, count: 5_000) },
        ProtocolLie("noise before ReadyForQuery", .either) { $0.sync = [1, 2, 3, 4, 5] + Message.readyForQuery() },
        ProtocolLie("no ReadyForQuery") { $0.sync = [] },
        ProtocolLie("nothing") {
            $0 = ProtocolAnswers(parse: [], bind: [], describe: [], execute: [], sync: [])
        },
        ProtocolLie("ReadyForQuery and nothing else") {
            $0 = ProtocolAnswers(parse: [], bind: [], describe: [], execute: [])
        },
        ProtocolLie("no ParseComplete", .either) { $0.parse = [] },
        ProtocolLie("no BindComplete", .either) { $0.bind = [] },
        ProtocolLie("no CommandComplete") { $0.execute = Message.seven }.leakingInLibrary,
        ProtocolLie("two CommandCompletes", .either) { $0.execute += Message.commandComplete("SELECT 1") },
        ProtocolLie("two results for one statement", .either) { $0.execute += $0.describe + $0.execute },
        ProtocolLie("two ReadyForQuerys", .either) { $0.sync = Message.readyForQuery() + Message.readyForQuery() },
        ProtocolLie("an empty query", .either) { $0.execute = Message.emptyQuery },
        ProtocolLie("rows after CommandComplete", .either) {
            $0.execute = Message.commandComplete("SELECT 1") + Message.seven
        },
        ProtocolLie("COPY from the client") { $0.execute = Message.make("G", [0, 0, 0]) }.leakingInLibrary,
        ProtocolLie("COPY to the client") { $0.execute = Message.make("H", [0, 0, 0]) }.leakingInLibrary,
        ProtocolLie("COPY both ways") { $0.execute = Message.make("W", [0, 0, 0]) }.leakingInLibrary,
        ProtocolLie("a request for a password") { $0.execute = Message.make("R", Message.number(3 as Int32)) },
        ProtocolLie("a cursor that is suspended") { $0.execute = Message.seven + Message.make("s") }.leakingInLibrary,
        ProtocolLie("a function's result") { $0.execute = Message.make("V", [0, 0, 0, 0]) },
        ProtocolLie("a tag without a number", .seven) {
            $0.execute = Message.seven + Message.commandComplete("")
        },
        ProtocolLie("a tag with a number beyond all", .seven) {
            $0.execute = Message.seven + Message.commandComplete("SELECT 99999999999999999999999999")
        },
        ProtocolLie("a tag of ten thousand bytes", .seven) {
            $0.execute = Message.seven + Message.commandComplete(String(repeating: "SELECT ", count: 1_500))
        },
        ProtocolLie("a tag without its end", .either) { $0.execute = Message.seven + Message.make("C", [0x53]) },
    ]

    private static let floods: [ProtocolLie] = [
        ProtocolLie("ten thousand notices", .seven) {
            $0.parse += (0..<10_000).flatMap { Message.notice("notice \($0)") }
        },
        ProtocolLie("ten thousand parameters", .seven) {
            $0.bind += (0..<10_000).flatMap { Message.parameterStatus("name\($0 % 50)", "value \($0)") }
        },
        ProtocolLie("ten thousand notifications", .seven) {
            $0.parse += (0..<10_000).flatMap { Message.notification(channel: "c", payload: "\($0)") }
        },
        ProtocolLie("a notice without fields", .seven) { $0.parse += Message.error([], type: "N") },
        ProtocolLie("a notice that is cut short", .either) { $0.parse += Message.make("N", [0x4D, 0x61]) },
        ProtocolLie("a parameter that is cut short", .either) { $0.parse += Message.make("S", [0x61]) },
        ProtocolLie("a notification that is cut short", .either) { $0.parse += Message.make("A", [0, 0]) },
        ProtocolLie("an encoding that nobody asked for", .either) {
            $0.parse += Message.parameterStatus("client_encoding", "SQL_ASCII")
        },
        ProtocolLie("a version that is no number", .seven) {
            $0.parse += Message.parameterStatus("server_version", "\u{FF}banana")
        },
    ]

    private static let errorLies: [ProtocolLie] = [
        ProtocolLie("an error without fields") { $0.execute = Message.error([]) },
        ProtocolLie("an error without a SQLSTATE") { $0.execute = Message.error([("S", "ERROR"), ("M", "no")]) },
        ProtocolLie("an error with an empty SQLSTATE") { $0.execute = Message.error([("C", ""), ("M", "no")]) },
        ProtocolLie("an error with an absurd SQLSTATE") {
            $0.execute = Message.error([
                ("C", "\u{1F4A5}!!!!!!!!!!!!!!!!!"), ("M", "no"), ("P", "-99999999999999999999"),
            ])
        },
        ProtocolLie("an error that says it succeeded") { $0.execute = Message.error([("C", "00000"), ("M", "ok")]) },
        ProtocolLie("an error in the middle of the rows") {
            $0.execute = Message.seven + Message.error([("S", "ERROR"), ("V", "ERROR"), ("C", "22012"), ("M", "no")])
        },
        ProtocolLie("an error that is not UTF-8") {
            $0.execute = Message.make("E", [0x43] + Array("22012".utf8) + [0, 0x4D, 0xFF, 0xC0, 0x80, 0, 0])
        },
        ProtocolLie("an error without its end") { $0.execute = Message.make("E", Array("C22012".utf8)) },
        ProtocolLie("an error instead of ParseComplete") {
            $0 = ProtocolAnswers(
                parse: Message.error([("M", "no")]), bind: [], describe: [], execute: [])
        },
        ProtocolLie("a fatal error, and the connection goes on") {
            $0.execute = Message.error([("S", "FATAL"), ("V", "FATAL"), ("C", "57P01"), ("M", "bye")])
        },
        ProtocolLie("that the prepared statement is unknown, for ever") {
            $0 = ProtocolAnswers(
                parse: Message.error([("S", "ERROR"), ("C", "26000"), ("M", "unknown")]), bind: [], describe: [],
                execute: [])
        },
    ]
}
