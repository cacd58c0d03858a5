import PersistenceCore
import Testing

@testable import PostgresEngine

/// A generator that gives the same numbers in every run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &self) }
    }

    /// An integer whose size varies as much as its bits.
    mutating func integer<I: FixedWidthInteger>(_ type: I.Type = I.self) -> I {
        let value = I.random(in: .min ... .max, using: &self)
        return value >> I(Int.random(in: 0..<I.bitWidth, using: &self))
    }

    mutating func text() -> String {
        let pieces = ["a", "B", "7", " ", "\"", "\\", ",", "{", "}", "'", "é", "€", "😀", "\n", "NULL", "\u{301}"]
        return (0..<Int.random(in: 0...12, using: &self)).compactMap { _ in pieces.randomElement(using: &self) }
            .joined()
    }
}

func bytes(hex: String) -> [UInt8] {
    stride(from: 0, to: hex.utf8.count, by: 2).compactMap { offset in
        let start = hex.index(hex.startIndex, offsetBy: offset)
        return UInt8(hex[start..<hex.index(start, offsetBy: 2)], radix: 16)
    }
}

func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

/// Decodes a copy of the bytes that ends where its memory ends, so that a sanitizer would see an over-read.
func decode<T: PostgresDecodable>(
    _ bytes: [UInt8], _ type: PostgresType, as swiftType: T.Type = T.self, format: PostgresFormat = .binary
) throws(PersistenceError) -> T {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { memory.deallocate() }
    memory.copyBytes(from: bytes)
    return try T.decode(PostgresValue(bytes: UnsafeRawBufferPointer(memory), type: type, format: format))
}

func encode<T: PostgresEncodable>(_ value: T) throws(PersistenceError) -> [UInt8] {
    var writer = PostgresWriter()
    try value.encode(into: &writer)
    return writer.bytes
}

func encodeBinary<T: PostgresEncodable>(_ value: T) throws(PersistenceError) -> [UInt8] {
    var writer = PostgresWriter()
    try value.encodeBinary(into: &writer)
    return writer.bytes
}

/// Sends a value and reads it back as the server would return it.
func roundTrip<T: PostgresEncodable & PostgresDecodable>(
    _ value: T, type: PostgresType = T.postgresBinaryType
) throws(PersistenceError) -> T {
    try decode(try encodeBinary(value), type)
}

/// The error that a call throws.
func failure<R>(_ body: () throws(PersistenceError) -> R) -> PersistenceError? {
    do throws(PersistenceError) {
        _ = try body()
        return nil
    } catch {
        return error
    }
}
