import BSON
import DocumentGateway
import NIOCore
import Testing

@Suite("Messages on the wire")
struct WireTests {
    private static let body: Document = ["ping": 1, "$db": "admin"]

    private func message(
        flags: UInt32 = 0, sections: [UInt8] = [0] + body.byteArray, operation: Int32 = 2013
    ) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(Int32(20 + sections.count), endianness: .little)
        buffer.writeInteger(Int32(7), endianness: .little)
        buffer.writeInteger(Int32(0), endianness: .little)
        buffer.writeInteger(operation, endianness: .little)
        buffer.writeInteger(flags, endianness: .little)
        buffer.writeBytes(sections)
        return buffer
    }

    private func parse(_ buffer: ByteBuffer) throws -> WireRequest {
        let header = try #require(WireHeader(peeking: buffer))
        return try WireRequest(frame: buffer, header: header)
    }

    private func sequence(_ name: String, _ documents: [UInt8]) -> [UInt8] {
        let content = Array(name.utf8) + [0] + documents
        return [1] + withUnsafeBytes(of: Int32(content.count + 4).littleEndian) { Array($0) } + content
    }

    @Test("A body and a sequence are found, in any order")
    func sections() throws {
        let documents = Document([("_id", 1)]).byteArray + Document([("_id", 2)]).byteArray
        for sections in [
            [0] + Self.body.byteArray + sequence("documents", documents),
            sequence("documents", documents) + [0] + Self.body.byteArray,
        ] {
            let request = try parse(message(sections: sections))
            #expect(request.requestID == 7)
            #expect(request.form == .message)
            #expect(request.expectsReply)
            #expect(request.body == Self.body)
            #expect(request.sequences.map(\.identifier) == ["documents"])
            #expect(request.sequences.first?.bytes == documents)
        }
    }

    @Test("Flags say whether an answer is expected, and must be known")
    func flags() throws {
        #expect(try !parse(message(flags: 2)).expectsReply)
        #expect(try parse(message(flags: 1 << 16)).expectsReply)
        #expect(throws: WireError.unknownFlags) { try parse(message(flags: 1 << 4)) }
    }

    @Test("What is no message is refused")
    func refusals() {
        #expect(throws: WireError.unsupportedOperation(2012)) { try parse(message(operation: 2012)) }
        #expect(throws: WireError.malformed("no body")) { try parse(message(sections: [])) }
        #expect(throws: WireError.malformed("two bodies")) {
            try parse(message(sections: [0] + Self.body.byteArray + [0] + Self.body.byteArray))
        }
        #expect(throws: WireError.malformed("a section of kind 9")) { try parse(message(sections: [9])) }
        #expect(throws: WireError.malformed("a sequence whose documents do not fit")) {
            try parse(message(sections: [0] + Self.body.byteArray + sequence("documents", [9, 0, 0, 0, 0])))
        }
    }

    @Test("A message has no more sequences than a command can take")
    func manySequences() throws {
        let two = [0] + Self.body.byteArray + sequence("ops", []) + sequence("nsInfo", [])
        #expect(try parse(message(sections: two)).sequences.count == 2)
        for count in [1, 100_000] {
            let more = Array(repeatElement(sequence("", []), count: count).joined())
            #expect(throws: WireError.malformed("too many sequences")) { try parse(message(sections: two + more)) }
        }
    }

    @Test("No cut of a message and no changed byte does more than throw")
    func mutations() throws {
        var whole = message(
            sections: [0] + Self.body.byteArray + sequence("documents", Document([("_id", 1)]).byteArray))
        let bytes = whole.readBytes(length: whole.readableBytes) ?? []
        // A message may end after its body.
        let complete = WireHeader.byteCount + 5 + Self.body.byteCount
        for count in WireHeader.byteCount..<bytes.count where count != complete {
            #expect(throws: WireError.self) { try parse(ByteBuffer(bytes: bytes.prefix(count))) }
        }
        for index in WireHeader.byteCount..<bytes.count {
            for value in [0, 1, 4, 5, 0x7F, 0x80, 0xFF] as [UInt8] {
                var changed = bytes
                changed[index] = value
                guard let request = try? parse(ByteBuffer(bytes: changed)) else { continue }
                // Whatever it holds now can be read.
                _ = try? Command(request)
                _ = request.body.keys
            }
        }
    }

    @Test("A reply has the form of its request")
    func replies() throws {
        let request = try parse(message())
        var frame = WireReply(["ok": 1.0]).frame(for: request, replyID: 3, allocator: ByteBufferAllocator())
        let header = try #require(WireHeader(peeking: frame))
        #expect(header.length == frame.readableBytes)
        #expect(header.responseTo == 7)
        #expect(header.operation == 2013)
        frame.moveReaderIndex(forwardBy: 21)
        #expect(Document(unchecked: frame.readBytes(length: frame.readableBytes) ?? []) == ["ok": 1.0])
    }
}
