import BSON
import DocumentGateway
import NIOCore
import Testing

/// Messages that nobody sends by accident, made of good ones in many small steps; the same ones in every run.
@Suite("Hostile messages on the wire")
struct HostileMessageTests {
    @Test("are refused, or read within their bounds", arguments: 0..<8 as Range<UInt64>)
    func mutations(seed: UInt64) throws {
        var random = Generator(state: seed)
        let samples = Self.samples
        for _ in 0..<20_000 {
            var bytes = samples[Int(random.next() % UInt64(samples.count))]
            for _ in 0...random.next() % 4 { Self.change(&bytes, samples, &random) }
            // A connection hands over whole messages alone, cut by their lengths.
            guard bytes.count >= WireHeader.byteCount else { continue }
            Self.put(Int32(bytes.count), at: 0, in: &bytes)
            try Self.check(bytes)
        }
    }

    @Test("and good ones are read")
    func samplesAreGood() throws {
        for bytes in Self.samples {
            let buffer = ByteBuffer(bytes: bytes)
            let request = try WireRequest(frame: buffer, header: #require(WireHeader(peeking: buffer)))
            #expect(request.body["ping"] == 1)
        }
    }

    private static func check(_ bytes: [UInt8]) throws {
        let buffer = ByteBuffer(bytes: bytes)
        let header = try #require(WireHeader(peeking: buffer))
        let request: WireRequest
        do throws(WireError) {
            request = try WireRequest(frame: buffer, header: header)
        } catch {
            #expect(!error.summary.isEmpty)
            return
        }
        let size = request.body.byteCount + request.sequences.reduce(0) { $0 + $1.bytes.count }
        guard size < bytes.count else {
            Issue.record("a message of \(bytes.count) bytes holds \(size) bytes of documents: \(bytes)")
            return
        }
        // Whatever it holds now can be read: the body by everybody, the sequences document by document.
        for field in request.body.fields { _ = field.value.type }
        for sequence in request.sequences {
            var position = 0
            while position < sequence.bytes.count {
                let document = Document(unchecked: sequence.bytes, at: position)
                _ = document.keys
                position += document.byteCount
            }
            guard position == sequence.bytes.count else {
                Issue.record("the documents of a sequence do not end where it does: \(bytes)")
                return
            }
        }
        _ = try? Command(request)
        let reply = WireReply(["ok": 1.0]).frame(for: request, replyID: 1, allocator: ByteBufferAllocator())
        #expect(WireHeader(peeking: reply)?.length == reply.readableBytes)
    }

    // MARK: Making them

    private static let samples: [[UInt8]] = {
        let body: Document = [
            "ping": 1, "documents": [["a": 1]], "lsid": ["id": .binary(BSONBinary(subtype: .generic, bytes: [1, 2]))],
        ]
        let documents = Document([("_id", 1)]).byteArray + Document([("_id", "two"), ("n", .null)]).byteArray
        let section = [0] + body.byteArray
        let plain = message([0, 0, 0, 0] + section, operation: 2013)
        var summed = message([1, 0, 0, 0] + section + sequence("documents", documents), operation: 2013, extra: 4)
        let sum = CRC32C.checksum(of: summed)
        summed += withUnsafeBytes(of: sum.littleEndian) { Array($0) }
        return [
            plain,
            message([2, 0, 0, 0] + section + sequence("documents", documents), operation: 2013),
            message([0, 0, 1, 0] + sequence("a", []) + section + sequence("", documents), operation: 2013),
            summed,
            message(
                [0, 0, 0, 0] + Array("admin.$cmd".utf8) + [0] + number(0) + number(-1) + body.byteArray, operation: 2004
            ),
        ]
    }()

    private static func message(_ content: [UInt8], operation: Int32, extra: Int = 0) -> [UInt8] {
        number(Int32(16 + content.count + extra)) + number(7) + number(0) + number(operation) + content
    }

    private static func sequence(_ name: String, _ documents: [UInt8]) -> [UInt8] {
        [1] + number(Int32(name.utf8.count + 5 + documents.count)) + Array(name.utf8) + [0] + documents
    }

    private static func number(_ value: Int32) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }

    private static func put(_ value: Int32, at offset: Int, in bytes: inout [UInt8]) {
        guard offset + 4 <= bytes.count else { return }
        bytes.replaceSubrange(offset..<offset + 4, with: number(value))
    }

    private static func change(_ bytes: inout [UInt8], _ samples: [[UInt8]], _ random: inout Generator) {
        guard !bytes.isEmpty else { return }
        let place = Int(random.next() % UInt64(bytes.count))
        switch random.next() % 7 {
        case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
        case 1: bytes[place] ^= 1 << UInt8(random.next() % 8)
        case 2: bytes.removeLast(min(bytes.count - 1, Int(random.next() % 40)))
        case 3: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
        case 4:
            // What lengths may be taken for, and what lies beside them.
            let lengths: [Int32] = [0, 1, 4, 5, -1, .max, .min, Int32(bytes.count), Int32(bytes.count - place)]
            put(lengths[Int(random.next() % UInt64(lengths.count))], at: place, in: &bytes)
        case 5:
            let other = samples[Int(random.next() % UInt64(samples.count))]
            bytes = bytes.prefix(place) + other.suffix(Int(random.next() % UInt64(other.count)))
        default: bytes.removeSubrange(place..<min(bytes.count, place + Int(random.next() % 8)))
        }
    }

    /// SplitMix64 (Steele, Lea and Flood, 2014).
    private struct Generator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var value = state
            value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
            return value ^ value >> 31
        }
    }
}
