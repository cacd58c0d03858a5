import PersistenceCore

@testable import PostgresEngine

/// Binary COPY data: where it is cut must not matter, and what was read is what a writer of the same rows writes.
enum CopyCheck {
    typealias Row = [[UInt8]?]

    /// What came of reading.
    struct Outcome: Equatable {
        var rows: [Row] = []
        var failure: String?
    }

    struct RawRow: PostgresCopyEncodable {
        static let columns: [String] = []
        let fields: Row

        func encode(to writer: inout PostgresCopyWriter) throws(PersistenceError) {
            for field in fields { try writer.append(field) }
        }
    }

    /// The signature, no flags, and an extension of no bytes.
    static let header = PostgresCopyWriter.signature + [0, 0, 0, 0, 0, 0, 0, 0]
    static let trailer: [UInt8] = [0xFF, 0xFF]

    /// The input: how many columns, with the highest bit when a header shall be put in front; where to cut; the data.
    static func run(_ input: UnsafeRawBufferPointer) throws {
        guard input.count >= 2 else { return }
        let count = Int(input[0] & 7)
        let columns = CopyColumns(
            names: (0..<count).map { "c\($0)" }, types: Array(repeating: .bytea, count: count))
        let data = (input[0] & 0x80 == 0 ? [] : header) + input.from(2)
        let whole = read([data], columns)
        try require(read(pieces(of: data, seed: input[1]), columns) == whole, "cutting the data changes the rows")
        try require(read(data.map { [$0] }, columns) == whole, "reading byte by byte changes the rows")
        readTyped(data, count)

        guard whole.failure == nil else { return }
        var writer = PostgresCopyWriter(columnCount: count)
        for row in whole.rows { try writer.appendRow(RawRow(fields: row)) }
        let again = read([header + writer.writer.bytes + trailer], columns)
        try require(again == whole, "the rows change when they are written")
    }

    private static func pieces(of data: [UInt8], seed: UInt8) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var rest = data[...]
        var state = Int(seed)
        while !rest.isEmpty {
            state = (state * 5 + 3) % 31
            pieces.append(Array(rest.prefix(state + 1)))
            rest = rest.dropFirst(state + 1)
        }
        return pieces
    }

    private static func read(_ pieces: [[UInt8]], _ columns: CopyColumns) -> Outcome {
        var outcome = Outcome()
        do throws(PersistenceError) {
            try read(pieces, columns, into: &outcome.rows) { (fields) throws(PersistenceError) in
                var row: Row = []
                while !fields.isAtEnd { row.append(try fields.next([UInt8]?.self)) }
                return row
            }
        } catch {
            outcome.failure = error.description
        }
        return outcome
    }

    private static func read<Element>(
        _ pieces: [[UInt8]], _ columns: CopyColumns, into rows: inout [Element],
        decode: (inout CopyFields) throws(PersistenceError) -> Element
    ) throws(PersistenceError) {
        var parser = CopyRowParser()
        for piece in pieces {
            parser.append(piece)
            while let row = try parser.next(columns, decode: decode) { rows.append(row) }
        }
        try parser.finish()
    }

    /// Reads columns of several types, one of them more than asked for when there are many.
    private static func readTyped(_ data: [UInt8], _ count: Int) {
        let types = [PostgresType.int4, .text, .numeric, .int2Array, .timestamptz, .jsonb, .bool]
        let columns = CopyColumns(
            names: (0..<count).map { "c\($0)" }, types: (0..<count).map { types[$0 % types.count] })
        var rows: [(Int32, String?, PostgresNumeric?)] = []
        try? read([data], columns, into: &rows) { (fields) throws(PersistenceError) in
            (try fields.next(Int32.self), try fields.next(String?.self), try fields.next(PostgresNumeric?.self))
        }
    }
}
