package import BSON
package import NIOCore

/// One request as it came over the wire: OP_MSG, or the OP_QUERY that old handshakes use.
package struct WireRequest: Sendable {
    /// A named run of documents beside the body (OP_MSG's section of kind 1), as raw bytes.
    package struct Sequence: Sendable {
        package let identifier: String
        package let bytes: [UInt8]
    }

    /// How the reply is framed.
    package enum Form: Sendable, Equatable {
        case message
        case query(collection: String)
    }

    package let requestID: Int32
    package let form: Form
    /// Whether the client waits for an answer.
    package let expectsReply: Bool
    package let body: Document
    package let sequences: [Sequence]
    /// What the body's first field asks for; `nil` for what is not known.
    let commandKind: CommandKind?

    /// A request as an OP_MSG with a body alone has it.
    package init(body: Document) {
        self.init(requestID: 0, form: .message, expectsReply: true, body: body, sequences: [])
    }

    private init(requestID: Int32, form: Form, expectsReply: Bool, body: Document, sequences: [Sequence]) {
        self.requestID = requestID
        self.form = form
        self.expectsReply = expectsReply
        self.body = body
        self.sequences = sequences
        var fields = body.fields.makeIterator()
        commandKind = fields.next().flatMap { CommandKind(name: $0.key) }
    }
}

extension WireRequest {
    /// The bits of an OP_MSG.
    enum Flag {
        static let checksumPresent: UInt32 = 1
        static let moreToCome: UInt32 = 1 << 1
        /// Bits below 16 must be understood; those above may be ignored.
        static let required: UInt32 = 0xFFFF
    }

    // No command takes more than two (bulkWrite). Millions of empty ones would fit into a message, each with what it costs
    // here beside its six bytes there.
    private static let maximumSequences = 2

    /// Reads one complete frame.
    ///
    /// - Parameters:
    ///   - frame: Exactly the bytes that the frame's length counts.
    ///   - header: The frame's header.
    /// - Throws: ``WireError``; the connection cannot go on.
    package init(frame: ByteBuffer, header: WireHeader) throws(WireError) {
        var frame = frame
        let whole = frame
        frame.moveReaderIndex(forwardBy: WireHeader.byteCount)
        switch header.operation {
        case WireHeader.Operation.message:
            guard let flags = frame.readInteger(endianness: .little, as: UInt32.self) else { throw .truncated }
            guard flags & Flag.required & ~(Flag.checksumPresent | Flag.moreToCome) == 0 else { throw .unknownFlags }
            if flags & Flag.checksumPresent != 0 {
                try Self.verifyChecksum(of: whole)
                frame = frame.getSlice(at: frame.readerIndex, length: frame.readableBytes - 4) ?? frame
            }
            var body: Document?
            var sequences: [Sequence] = []
            while frame.readableBytes > 0 {
                guard let kind = frame.readInteger(as: UInt8.self) else { throw .truncated }
                switch kind {
                case 0:
                    guard body == nil else { throw .malformed("two bodies") }
                    body = try Self.document(&frame)
                case 1:
                    guard sequences.count < Self.maximumSequences else { throw .malformed("too many sequences") }
                    sequences.append(try Self.sequence(&frame))
                default:
                    throw .malformed("a section of kind \(kind)")
                }
            }
            guard let body else { throw .malformed("no body") }
            self.init(
                requestID: header.requestID, form: .message, expectsReply: flags & Flag.moreToCome == 0, body: body,
                sequences: sequences)
        case WireHeader.Operation.query:
            guard frame.readInteger(endianness: .little, as: UInt32.self) != nil,
                let collection = frame.readCString(),
                frame.readInteger(endianness: .little, as: Int32.self) != nil,
                frame.readInteger(endianness: .little, as: Int32.self) != nil
            else { throw .truncated }
            self.init(
                requestID: header.requestID, form: .query(collection: collection), expectsReply: true,
                body: try Self.document(&frame), sequences: [])
        default:
            throw .unsupportedOperation(header.operation)
        }
    }

    private static func document(_ frame: inout ByteBuffer) throws(WireError) -> Document {
        guard let length = frame.getInteger(at: frame.readerIndex, endianness: .little, as: Int32.self), length >= 5,
            let bytes = frame.readBytes(length: Int(length)), bytes.last == 0
        else { throw .malformed("a document of the wrong length") }
        return Document(unchecked: bytes)
    }

    private static func sequence(_ frame: inout ByteBuffer) throws(WireError) -> Sequence {
        guard let size = frame.readInteger(endianness: .little, as: Int32.self), size >= 5,
            var part = frame.readSlice(length: Int(size) - 4), let identifier = part.readCString()
        else { throw .malformed("a sequence of the wrong length") }
        let bytes = part.readBytes(length: part.readableBytes) ?? []
        var position = 0
        // The engine counts on complete documents.
        while position < bytes.count {
            guard let length = bytes.int32(at: position), length >= 5, Int(length) <= bytes.count - position,
                bytes[position + Int(length) - 1] == 0
            else {
                throw .malformed("a sequence whose documents do not fit")
            }
            position += Int(length)
        }
        return Sequence(identifier: identifier, bytes: bytes)
    }

    private static func verifyChecksum(of frame: ByteBuffer) throws(WireError) {
        let end = frame.readerIndex + frame.readableBytes - 4
        guard frame.readableBytes >= WireHeader.byteCount + 8,
            let expected = frame.getInteger(at: end, endianness: .little, as: UInt32.self),
            let covered = frame.getBytes(at: frame.readerIndex, length: frame.readableBytes - 4)
        else { throw .truncated }
        guard CRC32C.checksum(of: covered) == expected else { throw .wrongChecksum }
    }
}

extension [UInt8] {
    /// A little-endian integer, if its bytes are there.
    func int32(at offset: Int) -> Int32? {
        guard offset >= 0, offset + 4 <= count else { return nil }
        return withUnsafeBytes { Int32(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Int32.self)) }
    }
}

extension ByteBuffer {
    /// Reads text up to a NUL, which is read, too.
    mutating func readCString() -> String? {
        guard let end = readableBytesView.firstIndex(of: 0) else { return nil }
        let text = readString(length: end - readerIndex)
        moveReaderIndex(forwardBy: 1)
        return text
    }
}
