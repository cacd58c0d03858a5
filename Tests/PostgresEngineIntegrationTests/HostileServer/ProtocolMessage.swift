/// Messages of the protocol, version 3, as a server sends them ("Message Formats" in PostgreSQL's documentation).
enum ProtocolMessage {
    /// A message with a length that is true, unless another is given.
    static func make(_ type: Character, _ body: [UInt8] = [], length: Int32? = nil) -> [UInt8] {
        [type.asciiValue ?? 0] + number(length ?? Int32(body.count + 4)) + body
    }

    static func number<I: FixedWidthInteger>(_ value: I) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }

    static func text(_ text: String) -> [UInt8] { Array(text.utf8) + [0] }

    static let authenticationOK = make("R", number(0 as Int32))
    static let parseComplete = make("1")
    static let bindComplete = make("2")
    static let noData = make("n")
    static let emptyQuery = make("I")

    static func readyForQuery(_ status: Character = "I") -> [UInt8] { make("Z", [status.asciiValue ?? 0]) }

    static func parameterStatus(_ name: String, _ value: String) -> [UInt8] { make("S", text(name) + text(value)) }

    /// What follows authentication.
    static var greeting: [UInt8] {
        authenticationOK + parameterStatus("server_version", "15.4") + parameterStatus("client_encoding", "UTF8")
            + parameterStatus("standard_conforming_strings", "on") + parameterStatus("in_hot_standby", "off")
            + make("K", number(4711 as Int32) + number(1 as Int32)) + readyForQuery()
    }

    static func rowDescription(
        _ names: [String] = ["n"], type: UInt32 = 23, size: Int16 = 4, format: Int16 = 1
    ) -> [UInt8] {
        var body = number(Int16(names.count))
        for name in names {
            body += text(name)
            // No table, and no column of one.
            body += number(0 as Int32) + number(0 as Int16)
            body += number(type) + number(size)
            body += number(-1 as Int32) + number(format)
        }
        return make("T", body)
    }

    /// A row; `nil` is NULL.
    static func dataRow(_ values: [[UInt8]?]) -> [UInt8] {
        var body = number(Int16(values.count))
        for value in values {
            body += number(Int32(value?.count ?? -1))
            body += value ?? []
        }
        return make("D", body)
    }

    static func commandComplete(_ tag: String) -> [UInt8] { make("C", text(tag)) }

    static func error(_ fields: [(Character, String)], type: Character = "E") -> [UInt8] {
        make(type, fields.flatMap { [$0.0.asciiValue ?? 0] + text($0.1) } + [0])
    }

    static func notice(_ message: String) -> [UInt8] {
        error([("S", "NOTICE"), ("V", "NOTICE"), ("C", "00000"), ("M", message)], type: "N")
    }

    static func notification(channel: String, payload: String) -> [UInt8] {
        make("A", number(1 as Int32) + text(channel) + text(payload))
    }

    static let seven = dataRow([number(7 as Int32)])
}

/// What a server answers to each of the client's messages.
struct ProtocolAnswers {
    var parse = ProtocolMessage.parseComplete
    var bind = ProtocolMessage.bindComplete
    var describe = ProtocolMessage.rowDescription()
    var execute = ProtocolMessage.seven + ProtocolMessage.commandComplete("SELECT 1")
    /// `nil` is ReadyForQuery, with the state that the transaction is in.
    var sync: [UInt8]?
    /// Whether the server hangs up after its answer to Execute.
    var closesAfterExecute = false
    /// What the server sends after its answer to Execute, again and again until the client has gone.
    var flood: [UInt8] = []

    /// What a good server answers: the number seven, but to transaction control.
    static func honest(_ text: String) -> ProtocolAnswers {
        for command in ["BEGIN", "COMMIT", "ROLLBACK"] where text.hasPrefix(command) {
            return ProtocolAnswers(
                describe: ProtocolMessage.noData, execute: ProtocolMessage.commandComplete(command))
        }
        return ProtocolAnswers()
    }
}

extension HostileConversation {
    /// Logs the client in and answers what it sends, until it has gone.
    ///
    /// - Parameters:
    ///   - answers: What to answer to a statement; its text is that of the last Parse message.
    ///   - script: What to answer to a script.
    func serve(
        _ answers: (String) -> ProtocolAnswers,
        script: () -> [UInt8] = { ProtocolMessage.commandComplete("SET") + ProtocolMessage.readyForQuery() }
    ) {
        send(ProtocolMessage.greeting)
        var current = ProtocolAnswers()
        var status: Character = "I"
        var texts: [String: String] = [:]
        while let (type, body) = readMessage() {
            switch type {
            case "P":
                let parts = body.split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
                let (name, text) = (
                    String(decoding: parts[0], as: UTF8.self), String(decoding: parts[1], as: UTF8.self)
                )
                texts[name] = text
                current = answers(text)
                send(current.parse)
            case "B":
                let parts = body.split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
                let text = texts[String(decoding: parts[1], as: UTF8.self)] ?? ""
                if text.hasPrefix("BEGIN") { status = "T" }
                if text.hasPrefix("COMMIT") || text.hasPrefix("ROLLBACK") { status = "I" }
                current = answers(text)
                send(current.bind)
            case "D": send(current.describe)
            case "E":
                send(current.execute)
                if current.closesAfterExecute { return end() }
                while !current.flood.isEmpty, send(current.flood) {}
            case "S": send(current.sync ?? ProtocolMessage.readyForQuery(status))
            case "Q": send(script())
            case "X": return
            default: break
            }
        }
    }
}
