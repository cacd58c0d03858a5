public import PersistenceCore

/// A document prepared for full-text search, PostgreSQL's `tsvector`: lexemes with their positions and weights.
///
/// The limits are those of PostgreSQL ("Text Search Limitations"): lexemes under 2 KiB, positions from 1 to 16,383, at most
/// 256 positions per lexeme.
public struct PostgresTSVector: Hashable, Sendable {
    /// How much an occurrence counts in ranking.
    public enum Weight: UInt8, Hashable, Sendable {
        /// The default, not shown in text.
        case d = 0
        /// Weight C.
        case c = 1
        /// Weight B.
        case b = 2
        /// Weight A.
        case a = 3
    }

    /// Where a lexeme occurs.
    public struct Position: Hashable, Sendable {
        /// The position in the document, from 1 to 16,383.
        public var index: UInt16
        /// How much the occurrence counts.
        public var weight: Weight

        /// Creates a position.
        ///
        /// - Parameters:
        ///   - index: The position in the document, from 1 to 16,383.
        ///   - weight: How much the occurrence counts.
        public init(_ index: UInt16, weight: Weight = .d) {
            self.index = index
            self.weight = weight
        }
    }

    /// The positions by lexeme; a stripped vector has none.
    public var lexemes: [String: [Position]]

    /// Creates a vector.
    ///
    /// - Parameter lexemes: The positions by lexeme.
    public init(_ lexemes: [String: [Position]] = [:]) {
        self.lexemes = lexemes
    }
}

extension PostgresTSVector: CustomStringConvertible {
    // The server compares bytes (`tsCompareString`); Swift's own order of strings is another.
    private var sorted: [(key: String, value: [Position])] {
        lexemes.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    }

    /// The lexemes as PostgreSQL writes them, such as `'cat':3 'fat':2A,11`; they are ordered by their bytes.
    public var description: String {
        var text = ""
        for (lexeme, positions) in sorted {
            if !text.isEmpty { text += " " }
            text += "'"
            for character in lexeme.unicodeScalars {
                if character == "'" || character == "\\" { text.unicodeScalars.append(character) }
                text.unicodeScalars.append(character)
            }
            text += "'"
            for (offset, position) in positions.enumerated() {
                text += offset == 0 ? ":" : ","
                text += position.index.description
                switch position.weight {
                case .a: text += "A"
                case .b: text += "B"
                case .c: text += "C"
                case .d: break
                }
            }
        }
        return text
    }
}

extension PostgresTSVector: PostgresElement {
    /// `tsvector`.
    public static var postgresType: PostgresType { .tsvector }

    /// Reads `tsvector`.
    public static func canDecode(_ type: PostgresType) -> Bool { type == .tsvector }

    /// Reads `tsvector`.
    public static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> PostgresTSVector {
        try value.read(as: PostgresTSVector.self) { reader throws(PersistenceError) in
            let count = Int(try reader.read(Int32.self))
            // A lexeme takes a terminator and a count at least.
            guard count >= 0, count <= reader.remaining / 3 else {
                throw reader.malformed("the number of lexemes is impossible")
            }
            var lexemes: [String: [Position]] = [:]
            lexemes.reserveCapacity(count)
            for _ in 0..<count {
                let lexeme = try reader.readTerminatedText()
                let positionCount = Int(try reader.read(UInt16.self))
                guard !lexeme.isEmpty, lexeme.utf8.count < 2048, positionCount <= 256 else {
                    throw reader.malformed("a lexeme is empty, too long or has too many positions")
                }
                guard positionCount <= reader.remaining / 2 else { throw reader.malformed("it ends too early") }
                var positions: [Position] = []
                positions.reserveCapacity(positionCount)
                for _ in 0..<positionCount {
                    let entry = try reader.read(UInt16.self)
                    let position = Position(entry & 0x3fff, weight: Weight(rawValue: UInt8(entry >> 14)) ?? .d)
                    guard position.index > positions.last?.index ?? 0 else {
                        throw reader.malformed("the positions of a lexeme are not in order")
                    }
                    positions.append(position)
                }
                guard lexemes.updateValue(positions, forKey: lexeme) == nil else {
                    // Or spelled in two ways that are canonically equivalent, which are one key to Swift.
                    throw reader.malformed("two lexemes are equal for Swift's strings; cast it to text")
                }
            }
            return PostgresTSVector(lexemes)
        }
    }

    /// Appends the lexemes with their positions in ascending order.
    ///
    /// - Throws: ``PersistenceError`` with the code `encoding` when a lexeme or a position is beyond PostgreSQL's limits.
    public func encode(into writer: inout PostgresWriter) throws(PersistenceError) {
        guard let count = Int32(exactly: lexemes.count) else { throw PersistenceError(.tooLarge) }
        writer.write(count)
        for (lexeme, positions) in sorted {
            guard !lexeme.isEmpty, lexeme.utf8.count < 2048, positions.count <= 256 else {
                throw PersistenceError(
                    .encoding, "a lexeme of the tsvector is empty, too long or has too many positions")
            }
            try writer.write(text: lexeme)
            writer.write(UInt8(0))
            writer.write(UInt16(truncatingIfNeeded: positions.count))
            var previous: UInt16 = 0
            for position in positions.sorted(by: { $0.index < $1.index }) {
                guard position.index > previous, position.index < 0x4000 else {
                    throw PersistenceError(.encoding, "a position of the tsvector is out of range or repeated")
                }
                previous = position.index
                writer.write(UInt16(position.weight.rawValue) << 14 | position.index)
            }
        }
    }
}

extension PostgresReader {
    /// The text up to the next zero byte.
    mutating func readTerminatedText() throws(PersistenceError) -> String {
        let rest = UnsafeRawBufferPointer(start: pointer, count: remaining)
        guard let end = rest.firstIndex(of: 0) else { throw malformed("a text has no end") }
        let text = try readText(count: end)
        _ = try advance(1)
        return text
    }
}
