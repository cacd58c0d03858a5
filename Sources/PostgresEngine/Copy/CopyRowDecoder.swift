internal import PersistenceCore

/// Reads a COPY to the client and decodes its rows.
final class CopyRowDecoder<Row> {
    private let reader: CopyOutReader
    private let decode: (inout CopyFields) throws(PersistenceError) -> Row
    private var parser = CopyRowParser()
    private var hasEnded = false

    init(_ reader: CopyOutReader, decode: @escaping (inout CopyFields) throws(PersistenceError) -> Row) {
        self.reader = reader
        self.decode = decode
    }

    /// The next row, if all of it has come.
    func buffered() throws(PersistenceError) -> Row? {
        guard !hasEnded else { return nil }
        do throws(PersistenceError) {
            return try parser.next(reader.columns, decode: decode)
        } catch {
            hasEnded = true
            throw error.with { $0.operation = $0.operation ?? "COPY" }
        }
    }

    /// Reads on.
    ///
    /// - Returns: Whether anything has come.
    func fetch() async throws(PersistenceError) -> Bool {
        guard !hasEnded else { return false }
        guard let chunk = try await reader.next() else {
            hasEnded = true
            try parser.finish()
            return false
        }
        parser.append(chunk)
        return true
    }
}
