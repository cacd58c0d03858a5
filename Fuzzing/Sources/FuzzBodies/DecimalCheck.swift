import BSON
import Foundation

/// Decimal numbers, as bits and as text.
enum DecimalCheck {
    static func run(_ input: UnsafeRawBufferPointer) throws {
        let choice = input.first ?? 0
        let rest = input.from(1)
        if choice & 1 == 0 {
            try checkText(rest.text)
        } else if rest.count >= 16 {
            try checkBits(
                Decimal128(
                    high: UInt64(littleEndian: rest.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
                    low: UInt64(littleEndian: rest.loadUnaligned(as: UInt64.self))))
        }
    }

    private static func checkText(_ text: String) throws {
        guard let number = Decimal128(text) else { return }
        try require(!text.isEmpty, "nothing is a number")
        try checkBits(number)
        try require(Decimal128(number.description) == number, "a number changes by way of its text")
        guard !number.isNaN, !number.isInfinite, let other = Decimal(string: text), !other.isNaN else { return }
        guard let again = Decimal(string: number.description), plain(text) else { return }
        try require(other == again, "a number is another one than Foundation reads")
    }

    /// Whether `Decimal` holds a number's text exactly, too: fewer digits, and a small exponent or none.
    private static func plain(_ text: String) -> Bool {
        let digits = text.drop { $0 == "-" || $0 == "+" }
        return text.utf8.count <= 34 && !digits.isEmpty
            && digits.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 || $0 == UInt8(ascii: ".") }
    }

    private static func checkBits(_ number: Decimal128) throws {
        let text = number.description
        guard let again = Decimal128(text) else { throw Finding("a number's text is none") }
        try require(again.description == text, "a number's text changes on its way")
        try require(again.isNaN == number.isNaN && again.isInfinite == number.isInfinite, "a number changes its kind")
        let document: Document = ["n": .decimal128(number)]
        try require(document["n"]?.decimal128 == number, "a document changes a number")
        guard let read = try? Document(extendedJSON: document.extendedJSON(.canonical)) else {
            throw Finding("extended JSON does not hold a number")
        }
        try require(read["n"]?.decimal128 == again, "extended JSON changes a number")
        // Refused or read, by the type that everybody computes with.
        _ = try? BSONDecoder().decode([String: Decimal].self, from: document)
    }
}
