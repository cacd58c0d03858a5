package import NIOCore

/// The first 16 bytes of every message.
package struct WireHeader: Sendable, Equatable {
    package static let byteCount = 16

    /// What a message is.
    package enum Operation {
        package static let reply: Int32 = 1
        package static let query: Int32 = 2004
        package static let message: Int32 = 2013
    }

    /// The length of the message with its header.
    package let length: Int
    package let requestID: Int32
    package let responseTo: Int32
    package let operation: Int32

    /// Reads the header that begins at the buffer's reader index, without moving it.
    ///
    /// - Returns: `nil` while it is not complete.
    package init?(peeking buffer: ByteBuffer) {
        let start = buffer.readerIndex
        guard let length = buffer.getInteger(at: start, endianness: .little, as: Int32.self),
            let requestID = buffer.getInteger(at: start + 4, endianness: .little, as: Int32.self),
            let responseTo = buffer.getInteger(at: start + 8, endianness: .little, as: Int32.self),
            let operation = buffer.getInteger(at: start + 12, endianness: .little, as: Int32.self)
        else { return nil }
        self.length = Int(length)
        self.requestID = requestID
        self.responseTo = responseTo
        self.operation = operation
    }
}

/// Why a connection cannot go on.
package enum WireError: Error, Equatable {
    case length(Int)
    case truncated
    case unknownFlags
    case wrongChecksum
    case malformed(String)
    case unsupportedOperation(Int32)

    /// One sentence, free of values.
    package var summary: String {
        switch self {
        case .length(let length): "a message of \(length) bytes is not accepted"
        case .truncated: "the message ends too early"
        case .unknownFlags: "the message has flags that must be understood and are not"
        case .wrongChecksum: "the message does not have the checksum that it says"
        case .malformed(let what): "the message is malformed: \(what)"
        case .unsupportedOperation(let code): "messages with the operation code \(code) are not supported"
        }
    }
}
