package import BSON
package import NIOCore

/// What goes back to the client.
package struct WireReply: Sendable {
    /// The reply's document.
    package var bytes: [UInt8]
    /// Whether the connection ends after the reply.
    package var closesConnection = false

    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    package init(_ document: Document) {
        bytes = document.byteArray
    }

    /// Frames the reply for a request.
    package func frame(for request: WireRequest, replyID: Int32, allocator: ByteBufferAllocator) -> ByteBuffer {
        let isMessage = request.form == .message
        let overhead = WireHeader.byteCount + (isMessage ? 5 : 20)
        var buffer = allocator.buffer(capacity: overhead + bytes.count)
        buffer.writeInteger(Int32(overhead + bytes.count), endianness: .little)
        buffer.writeInteger(replyID, endianness: .little)
        buffer.writeInteger(request.requestID, endianness: .little)
        if isMessage {
            buffer.writeInteger(WireHeader.Operation.message, endianness: .little)
            buffer.writeInteger(UInt32(0), endianness: .little)
            buffer.writeInteger(UInt8(0))
        } else {
            buffer.writeInteger(WireHeader.Operation.reply, endianness: .little)
            // AwaitCapable, as every server since 1.6 says.
            buffer.writeInteger(Int32(8), endianness: .little)
            buffer.writeInteger(Int64(0), endianness: .little)
            buffer.writeInteger(Int32(0), endianness: .little)
            buffer.writeInteger(Int32(1), endianness: .little)
        }
        buffer.writeBytes(bytes)
        return buffer
    }
}
