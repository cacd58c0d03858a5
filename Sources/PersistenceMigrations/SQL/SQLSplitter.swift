/// The lexer behind ``SQLScript``: one pass over the bytes, which never looks further than the end of a token.
struct SQLSplitter {
    /// Why a text cannot be taken apart, and where.
    struct Fault: Error {
        var summary: String
        var utf8Offset: Int
    }

    private let bytes: [UInt8]
    private var index = 0
    private(set) var statements: [SQLStatement] = []
    private(set) var directives: [SQLScript.Directive] = []
    private var current = Statement()

    /// What is known of the statement that is being read.
    private struct Statement {
        /// The first byte of the first token; nil between statements.
        var start: Int?
        /// The end of the last token.
        var end = 0
        var words: [String] = []
        var isWordsOnly = true
        var parentheses = 0
        /// How many `END`s a routine's body still needs.
        var blocks = 0
        /// The last token, when it was an unquoted word outside parentheses.
        var lastWord = ""
        var followsDot = false
        var copiesWithClient = false

        /// Whether this is `CREATE [OR REPLACE] FUNCTION` or `PROCEDURE`, whose bodies may hold semicolons.
        var isRoutine: Bool {
            guard words.first == "CREATE" else { return false }
            let kind = words.dropFirst().starts(with: ["OR", "REPLACE"]) ? words.dropFirst(3) : words.dropFirst(1)
            return kind.first == "FUNCTION" || kind.first == "PROCEDURE"
        }
    }

    private static let directivePrefix = "persistence:"
    private static let maximumLeadingWords = 8

    init(_ text: String) {
        bytes = Array(text.utf8)
    }

    mutating func run() throws(Fault) {
        // Wherever it stands, in a comment too, the server would be sent only what comes before it.
        if let offset = bytes.firstIndex(of: 0) {
            throw Fault(summary: "a NUL character cannot be sent to the server", utf8Offset: offset)
        }
        while index < bytes.count {
            try readToken()
        }
        try endStatement()
    }

    // MARK: - Tokens

    private mutating func readToken() throws(Fault) {
        let byte = bytes[index]
        switch byte {
        case UInt8(ascii: " "), 0x09...0x0D:
            index += 1
        case UInt8(ascii: "-") where peek(1) == UInt8(ascii: "-"):
            readLineComment()
        case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "*"):
            try readBlockComment()
        case UInt8(ascii: ";") where current.parentheses == 0 && current.blocks == 0:
            try endStatement()
            index += 1
        case UInt8(ascii: "'"):
            let start = index
            try readString(from: start, escapes: false)
            endToken(start: start)
        case UInt8(ascii: "\""):
            let start = index
            try readQuoted(by: byte, from: start, what: "quoted identifier")
            endToken(start: start)
        case UInt8(ascii: "$"):
            try readDollar()
        case _ where Self.startsWord(byte):
            try readWord()
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            let start = index
            while index < bytes.count, Self.isDigit(bytes[index]) { index += 1 }
            endToken(start: start)
        case UInt8(ascii: "\\"):
            throw Fault(
                summary: "a command of psql (a backslash outside quotes) cannot be sent to the server",
                utf8Offset: index)
        default:
            readSymbol(byte)
        }
    }

    private mutating func readSymbol(_ byte: UInt8) {
        let start = index
        index += 1
        endToken(start: start)
        switch byte {
        case UInt8(ascii: "("): current.parentheses += 1
        case UInt8(ascii: ")"): current.parentheses = max(0, current.parentheses - 1)
        case UInt8(ascii: "."): current.followsDot = true
        default: break
        }
    }

    private mutating func readLineComment() {
        let start = index
        while index < bytes.count, !Self.isNewline(bytes[index]) { index += 1 }
        let text = String(decoding: bytes[(start + 2)..<index], as: UTF8.self)
        let trimmed = text.drop { $0 == " " || $0 == "\t" }
        guard trimmed.hasPrefix(Self.directivePrefix) else { return }
        var name = trimmed.dropFirst(Self.directivePrefix.count)
        while let last = name.last, last.isWhitespace { name.removeLast() }
        directives.append(SQLScript.Directive(name: String(name), utf8Offset: start))
    }

    private mutating func readBlockComment() throws(Fault) {
        let start = index
        var depth = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "*") {
                depth += 1
                index += 2
            } else if bytes[index] == UInt8(ascii: "*"), peek(1) == UInt8(ascii: "/") {
                depth -= 1
                index += 2
                if depth == 0 { return }
            } else {
                index += 1
            }
        }
        throw Fault(summary: "the comment that starts here does not end", utf8Offset: start)
    }

    /// Reads a string whose opening quote is at `index`, with its continuations.
    private mutating func readString(from start: Int, escapes: Bool) throws(Fault) {
        try readQuoted(by: UInt8(ascii: "'"), from: start, what: "string", escapes: escapes)
        // 'a' and 'b' on the next line are one string, and what follows an E'' string is one of that kind too.
        while let next = continuation() {
            index = next
            try readQuoted(by: UInt8(ascii: "'"), from: start, what: "string", escapes: escapes)
        }
    }

    /// Reads up to the closing quote; a doubled quote is part of the text.
    private mutating func readQuoted(
        by quote: UInt8, from start: Int, what: String, escapes: Bool = false
    ) throws(Fault) {
        index += 1
        while index < bytes.count {
            let byte = bytes[index]
            if byte == quote {
                index += 1
                guard index < bytes.count, bytes[index] == quote else { return }
                index += 1
            } else if escapes, byte == UInt8(ascii: "\\") {
                index += 2
            } else {
                index += 1
            }
        }
        throw Fault(summary: "the \(what) that starts here does not end", utf8Offset: start)
    }

    /// Where the next part of a string starts: after white space with a line break in it, comments allowed.
    private func continuation() -> Int? {
        var next = index
        var hasNewline = false
        while next < bytes.count {
            switch bytes[next] {
            case 0x0A, 0x0D:
                hasNewline = true
                next += 1
            case UInt8(ascii: " "), 0x09, 0x0B, 0x0C:
                next += 1
            case UInt8(ascii: "-") where next + 1 < bytes.count && bytes[next + 1] == UInt8(ascii: "-"):
                while next < bytes.count, !Self.isNewline(bytes[next]) { next += 1 }
            case UInt8(ascii: "'"):
                return hasNewline ? next : nil
            default:
                return nil
            }
        }
        return nil
    }

    private mutating func readDollar() throws(Fault) {
        let start = index
        var end = start + 1
        if end < bytes.count, Self.startsWord(bytes[end]) {
            while end < bytes.count, Self.startsWord(bytes[end]) || Self.isDigit(bytes[end]) { end += 1 }
        }
        guard end < bytes.count, bytes[end] == UInt8(ascii: "$") else {
            // A parameter such as $1, or a lone dollar sign, which the server will refuse.
            index = max(end, start + 1)
            endToken(start: start)
            return
        }
        let tag = bytes[start...end]
        index = end + 1
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "$"), bytes[index...].starts(with: tag) {
                index += tag.count
                endToken(start: start)
                return
            }
            index += 1
        }
        throw Fault(
            summary: "the string that \(String(decoding: tag, as: UTF8.self)) opens here does not end",
            utf8Offset: start)
    }

    private mutating func readWord() throws(Fault) {
        let start = index
        while index < bytes.count, Self.continuesWord(bytes[index]) { index += 1 }
        let length = index - start
        let next = peek(0)
        if length == 1, next == UInt8(ascii: "'") {
            switch bytes[start] {
            case UInt8(ascii: "e"), UInt8(ascii: "E"):
                try readString(from: start, escapes: true)
                endToken(start: start)
                return
            case UInt8(ascii: "b"), UInt8(ascii: "B"), UInt8(ascii: "x"), UInt8(ascii: "X"), UInt8(ascii: "n"),
                UInt8(ascii: "N"):
                try readString(from: start, escapes: false)
                endToken(start: start)
                return
            default: break
            }
        }
        // The ampersand of U&'…' and U&"…" is an operator here, and the quotes after it follow the ordinary rules.
        noteWord(start: start)
    }

    // MARK: - Statements

    private mutating func endToken(start: Int) {
        if current.start == nil { current.start = start }
        current.end = index
        current.isWordsOnly = false
        current.lastWord = ""
        current.followsDot = false
    }

    private mutating func noteWord(start: Int) {
        // Keywords are short; a long word need not be copied.
        let isShort = index - start <= 63
        let word = isShort ? Self.uppercased(bytes[start..<index]) : ""
        if current.start == nil { current.start = start }
        current.end = index
        if current.isWordsOnly {
            if current.words.count < Self.maximumLeadingWords {
                current.words.append(word)
            } else {
                current.isWordsOnly = false
            }
        }
        if current.parentheses == 0 {
            // `AS end` and `t.end` are names, not the end of a block.
            if current.lastWord != "AS", !current.followsDot { noteBlock(word) }
            if current.words.first == "COPY", word == "STDIN" || word == "STDOUT",
                current.lastWord == "FROM" || current.lastWord == "TO"
            {
                current.copiesWithClient = true
            }
        }
        current.lastWord = current.parentheses == 0 ? word : ""
        current.followsDot = false
    }

    private mutating func noteBlock(_ word: String) {
        switch word {
        case "ATOMIC" where current.blocks == 0 && current.lastWord == "BEGIN" && current.isRoutine: current.blocks = 1
        case "CASE" where current.blocks > 0: current.blocks += 1
        case "END" where current.blocks > 0: current.blocks -= 1
        default: break
        }
    }

    private mutating func endStatement() throws(Fault) {
        defer { current = Statement() }
        guard let start = current.start else { return }
        if current.copiesWithClient {
            throw Fault(
                summary: "COPY from or to the client needs a second stream of data, which a script does not have; "
                    + "use INSERT, or COPY with a file on the server",
                utf8Offset: start)
        }
        statements.append(
            SQLStatement(
                text: String(decoding: bytes[start..<current.end], as: UTF8.self), utf8Offset: start,
                leadingWords: current.words, isWordsOnly: current.isWordsOnly))
    }

    // MARK: - Bytes

    private func peek(_ distance: Int) -> UInt8? {
        index + distance < bytes.count ? bytes[index + distance] : nil
    }

    /// A word with its ASCII letters in upper case; no other letter is part of a keyword, not even "ſ", whose capital is S.
    private static func uppercased(_ word: ArraySlice<UInt8>) -> String {
        let bytes = word.map { UInt8(ascii: "a") <= $0 && $0 <= UInt8(ascii: "z") ? $0 & ~0x20 : $0 }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func startsWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"),
            0x80...0xFF:
            true
        default: false
        }
    }

    private static func continuesWord(_ byte: UInt8) -> Bool {
        startsWord(byte) || isDigit(byte) || byte == UInt8(ascii: "$")
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        UInt8(ascii: "0") <= byte && byte <= UInt8(ascii: "9")
    }

    private static func isNewline(_ byte: UInt8) -> Bool {
        byte == 0x0A || byte == 0x0D
    }
}
