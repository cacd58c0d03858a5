/// Turns the extension's SQLSTATEs into the codes and names of the wire protocol.
package enum EngineErrorCodes {
    private static let table: (codes: [String: Int32], names: [Int32: String]) = {
        var codes: [String: Int32] = [:]
        var names: [Int32: String] = [
            6: "HostUnreachable", 11: "UserNotFound", 13: "Unauthorized", 17: "ProtocolError",
            18: "AuthenticationFailed", 22: "InvalidBSON", 24: "LockTimeout", 50: "MaxTimeMSExpired",
            59: "CommandNotFound", 91: "ShutdownInProgress", 112: "WriteConflict",
            117: "ConflictingOperationInProgress",
            225: "TransactionTooOld", 237: "CursorKilled", 244: "TransactionAborted", 251: "NoSuchTransaction",
            256: "TransactionCommitted", 263: "OperationNotSupportedInTransaction", 11000: "DuplicateKey",
            11600: "InterruptedAtShutdown", 11601: "Interrupted", 51003: "Location51003",
        ]
        for line in EngineErrorTable.text.split(separator: "\n") {
            let parts = line.split(separator: " ")
            guard parts.count == 3, let code = Int32(parts[1]) else { continue }
            codes[String(parts[0])] = code
            names[code] = names[code] ?? String(parts[2])
        }
        return (codes, names)
    }()

    /// The code for an SQLSTATE of the extension or of PostgreSQL itself; `nil` when it means nothing to a client.
    ///
    /// - Parameters:
    ///   - state: The five characters.
    ///   - inTransaction: Whether the statement was part of a client's transaction, where a lock that is not free is a
    ///     conflict.
    /// - Returns: The code.
    package static func code(ofSQLState state: String, inTransaction: Bool) -> Int32? {
        switch state {
        case "23505", "23P01": 11000
        case "40001", "40P01": 112
        case "55P03": inTransaction ? 112 : 24
        case "57014": 50
        case "42P01": 26
        case "42501": 13
        case "25P04": 251
        case "57P01", "57P02", "57P03", "53300": 6
        default: table.codes[state]
        }
    }

    /// The SQLSTATE that the engine packed into a number: six bits for each character, the first in the lowest.
    package static func sqlState(packed number: Int32) -> String {
        var state = ""
        for index in 0..<5 {
            let value = UInt8(truncatingIfNeeded: (number >> (6 * Int32(index))) & 63) + 48
            state.unicodeScalars.append(UnicodeScalar(value))
        }
        return state
    }

    /// The code of an error inside a reply, where the engine packs an SQLSTATE into the number.
    ///
    /// - Parameters:
    ///   - number: What the reply holds.
    ///   - inTransaction: Whether the statement was part of a client's transaction.
    /// - Returns: The code; a number that is no packed state is returned as it is.
    package static func code(inReply number: Int32, inTransaction: Bool) -> Int32 {
        code(ofSQLState: sqlState(packed: number), inTransaction: inTransaction) ?? number
    }

    /// The name of a code: `DuplicateKey` for 11000.
    package static func name(of code: Int32) -> String {
        table.names[code] ?? "Location\(code)"
    }
}
