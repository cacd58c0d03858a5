import PersistenceCore

@testable import PersistenceMigrations
@testable import PostgresEngine

/// Names and texts that become part of SQL, or of the server's command line: what the server reads, by its own rules, is
/// what was given.
enum NameCheck {
    /// The input: which place; the text.
    static func run(_ input: UnsafeRawBufferPointer) throws {
        guard let place = input.first else { return }
        let text = input.from(1).text
        switch place % 5 {
        case 0: try identifier(text)
        case 1: try csvNull(text)
        case 2: try sessionParameter(text)
        case 3: try arrayLiteral(text)
        default: try interpolation(text)
        }
    }

    /// Names, the parts of which are separated by U+0001.
    private static func identifier(_ text: String) throws {
        let parts = text.unicodeScalars.split(separator: "\u{1}", omittingEmptySubsequences: false).map(String.init)
        let isNameable = parts.allSatisfy { (1...63).contains($0.utf8.count) && !$0.utf8.contains(0) }
        let identifier: PostgresIdentifier
        do {
            identifier = try PostgresIdentifier(parts: parts)
        } catch {
            try require(error.code == .invalidArgument, "a name throws \(error.code)")
            try require(!isNameable, "a good name is refused")
            return
        }
        try require(isNameable, "a name is taken that the server would change")
        var rest = Array(identifier.quoted.utf8)[...]
        for (index, part) in parts.enumerated() {
            if index > 0 { try require(rest.popFirst() == UInt8(ascii: "."), "the parts are not joined") }
            try require(unquoted(&rest, by: UInt8(ascii: "\"")) == Array(part.utf8), "a name is another when quoted")
        }
        try require(rest.isEmpty, "something follows a quoted name")
        try requireOneStatement("SELECT \(identifier.quoted) FROM t")
    }

    private static func csvNull(_ text: String) throws {
        let options: String
        do {
            options = try PostgresCopyFormat.csv(delimiter: text.unicodeScalars.first ?? ",", null: text).options()
        } catch {
            try require(error.code == .invalidArgument, "a format throws \(error.code)")
            return
        }
        try requireOneStatement("SELECT \(options)")
        var rest = Array(options.utf8)[...]
        while !rest.isEmpty, !rest.starts(with: " NULL '".utf8) { rest.removeFirst() }
        rest = rest.dropFirst(" NULL ".utf8.count)
        try require(unquoted(&rest, by: UInt8(ascii: "'")) == Array(text.utf8), "the text for NULL is another")
        try require(rest.elementsEqual(", ENCODING 'UTF8'".utf8), "something follows the text for NULL")
    }

    /// The name of a parameter up to the first `=`, and its value.
    private static func sessionParameter(_ text: String) throws {
        let parts = text.unicodeScalars.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return }
        let (name, value) = (String(parts[0]), String(parts[1]))
        var configuration = try PostgresConfiguration(uri: "postgres://u@h/d")
        configuration.sessionParameters = [name: value]
        do {
            try configuration.validate()
        } catch {
            try require(error.code == .configuration, "a parameter throws \(error.code)")
            return
        }
        let words = words(Array((configuration.startupOptions ?? "").utf8))
        try require(
            words == [Array("-c".utf8), Array("\(name)=".utf8) + value.utf8], "a parameter is another to the server")
    }

    /// The elements of an array of JSON texts, separated by U+0001; an element U+0002 is NULL.
    private static func arrayLiteral(_ text: String) throws {
        let elements = text.unicodeScalars.split(separator: "\u{1}", omittingEmptySubsequences: false)
            .map { $0.elementsEqual(["\u{2}"]) ? nil : PostgresJSONText(rawValue: String($0)) }
        var writer = PostgresWriter()
        do throws(PersistenceError) {
            try elements.encode(into: &writer)
        } catch {
            try require(error.code == .encoding, "an array throws \(error.code)")
            try require(text.utf8.contains(0), "a good array is refused")
            return
        }
        try require(
            parsed(writer.bytes) == elements.map { $0.map { Array($0.rawValue.utf8) } },
            "an array is another to the server")
    }

    private static func interpolation(_ text: String) throws {
        let statement: PostgresStatement = "SELECT \(text), \(identifier: text), \([text])"
        if statement.failure != nil {
            let isGood = (1...63).contains(text.utf8.count) && !text.utf8.contains(0)
            return try require(!isGood, "a good value is refused")
        }
        let quoted = try PostgresIdentifier(text).quoted
        try require(statement.sql.hasSameBytes(as: "SELECT $1, \(quoted), $2"), "a value is part of the SQL")
    }

    // MARK: - The server's rules

    private static func requireOneStatement(_ text: String) throws {
        let statements: [SQLStatement]
        do {
            statements = try SQLScript(text).statements
        } catch {
            throw Finding("a quoted name or text does not end")
        }
        try require(statements.count == 1 && statements[0].text.hasSameBytes(as: text), "a name ends its statement")
    }

    /// The text between quotes, a doubled quote in it being one; `nil` when there is none.
    private static func unquoted(_ rest: inout ArraySlice<UInt8>, by quote: UInt8) -> [UInt8]? {
        guard rest.popFirst() == quote else { return nil }
        var text: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == quote {
                guard rest.first == quote else { return text }
                rest.removeFirst()
            }
            text.append(byte)
        }
        return nil
    }

    /// `pg_split_opts`: words between white space, a backslash taking the next byte as it is.
    private static func words(_ bytes: [UInt8]) -> [[UInt8]] {
        var words: [[UInt8]] = []
        var word: [UInt8]?
        var isEscaped = false
        for byte in bytes {
            if isEscaped {
                word = (word ?? []) + [byte]
                isEscaped = false
            } else if byte == 0x20 || (0x09...0x0D).contains(byte) {
                if let found = word { words.append(found) }
                word = nil
            } else if byte == UInt8(ascii: "\\") {
                word = word ?? []
                isEscaped = true
            } else {
                word = (word ?? []) + [byte]
            }
        }
        if let word { words.append(word) }
        return words
    }

    /// `array_in`, for one dimension of elements that are quoted or NULL; `nil` for anything else.
    private static func parsed(_ literal: [UInt8]) -> [[UInt8]?]? {
        var rest = literal[...]
        guard rest.popFirst() == UInt8(ascii: "{"), rest.popLast() == UInt8(ascii: "}") else { return nil }
        var elements: [[UInt8]?] = []
        while !rest.isEmpty {
            if !elements.isEmpty, rest.popFirst() != UInt8(ascii: ",") { return nil }
            if rest.starts(with: "NULL".utf8) {
                rest = rest.dropFirst(4)
                elements.append(nil)
                continue
            }
            guard rest.popFirst() == UInt8(ascii: "\"") else { return nil }
            var element: [UInt8] = []
            while let byte = rest.popFirst(), byte != UInt8(ascii: "\"") {
                if byte == UInt8(ascii: "\\") {
                    guard let next = rest.popFirst() else { return nil }
                    element.append(next)
                } else {
                    element.append(byte)
                }
            }
            elements.append(element)
        }
        return elements
    }
}
