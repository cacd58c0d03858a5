public import PersistenceCore

extension PostgresExecutor {
    /// Copies rows into a table with binary COPY, the fastest way there is.
    ///
    /// All rows are inserted or, after an error, none. The rows are encoded into one buffer of 64 KB, which is sent
    /// before the next rows are asked for, so any number of them takes little memory.
    ///
    /// - Parameters:
    ///   - rows: The rows.
    ///   - table: The table; a qualified name has two parts.
    ///   - columns: The columns in the order in which the rows append them; the row type's own without.
    /// - Returns: How many rows were inserted.
    /// - Throws: ``PersistenceError``: `encoding` for a row that cannot be written, `invalidData` when bytes do not fit
    ///   the column's type, and what the server throws for an INSERT.
    @discardableResult
    @inlinable
    public func copyIn<Rows: Sequence>(
        _ rows: Rows, into table: PostgresIdentifier, columns: [String]? = nil
    ) async throws(PersistenceError) -> Int where Rows.Element: PostgresCopyEncodable {
        var iterator = rows.makeIterator()
        return try await copyInBinary(
            into: table, columns: columns ?? Rows.Element.columns
        ) { (writer) throws(PersistenceError) in try writer.fill(from: &iterator) }
    }

    /// Copies rows into a table with binary COPY while they arrive.
    ///
    /// The source is asked for the next row only when the server has taken those before, so a fast source waits for a
    /// slow server. Rows are inserted when the source has ended, all or none.
    ///
    /// - Parameters:
    ///   - rows: The rows.
    ///   - table: The table; a qualified name has two parts.
    ///   - columns: The columns in the order in which the rows append them; the row type's own without.
    /// - Returns: How many rows were inserted.
    /// - Throws: What the source throws, unwrapped; ``PersistenceError`` as for a sequence. In both cases nothing was
    ///   inserted.
    @discardableResult
    public func copyIn<Rows: AsyncSequence>(
        _ rows: Rows, into table: PostgresIdentifier, columns: [String]? = nil
    ) async throws -> Int where Rows.Element: PostgresCopyEncodable {
        let columns = columns ?? Rows.Element.columns
        let outcome = try await copyIn(into: table, columns: columns, format: .binary) {
            (sink) async throws -> Bool in
            for try await row in rows {
                try sink.writer.appendRow(row)
                guard await sink.sendWhenFull() else { return false }
            }
            return true
        }
        switch outcome {
        case .copied(let count): return count
        case .sourceFailed(let error): throw error
        case .failed(let error): throw error
        }
    }

    /// Copies bytes that are in one of COPY's formats already into a table, such as an uploaded CSV file.
    ///
    /// - Parameters:
    ///   - chunks: The bytes, cut anywhere.
    ///   - table: The table; a qualified name has two parts.
    ///   - columns: The columns, in the order of the data; empty means all of the table's.
    ///   - format: What the bytes are; text must be UTF-8.
    /// - Returns: How many rows were inserted.
    /// - Throws: What the source throws, unwrapped; ``PersistenceError`` when the server refuses a row. In both cases
    ///   nothing was inserted.
    @discardableResult
    public func copyIn<Chunks: AsyncSequence>(
        raw chunks: Chunks, into table: PostgresIdentifier, columns: [String] = [], format: PostgresCopyFormat
    ) async throws -> Int where Chunks.Element: Sequence<UInt8> {
        let outcome = try await copyIn(into: table, columns: columns, format: format, isRaw: true) {
            (sink) async throws -> Bool in
            for try await chunk in chunks {
                sink.writer.writer.write(bytes: chunk)
                guard await sink.sendWhenFull() else { return false }
            }
            return true
        }
        switch outcome {
        case .copied(let count): return count
        case .sourceFailed(let error): throw error
        case .failed(let error): throw error
        }
    }

    /// Copies bytes that are in one of COPY's formats already into a table.
    ///
    /// - Parameters:
    ///   - bytes: The bytes.
    ///   - table: The table; a qualified name has two parts.
    ///   - columns: The columns, in the order of the data; empty means all of the table's.
    ///   - format: What the bytes are; text must be UTF-8.
    /// - Returns: How many rows were inserted.
    /// - Throws: ``PersistenceError`` when the server refuses a row; nothing was inserted then.
    @discardableResult
    public func copyIn(
        raw bytes: some Sequence<UInt8>, into table: PostgresIdentifier, columns: [String] = [],
        format: PostgresCopyFormat
    ) async throws(PersistenceError) -> Int {
        let outcome = try await copyIn(into: table, columns: columns, format: format, isRaw: true) {
            (sink) async throws(PersistenceError) -> Bool in
            sink.writer.writer.write(bytes: bytes)
            return true
        }
        return try outcome.count
    }

    @usableFromInline
    func copyInBinary(
        into table: PostgresIdentifier, columns: [String],
        _ fill: (inout PostgresCopyWriter) throws(PersistenceError) -> Bool
    ) async throws(PersistenceError) -> Int {
        let outcome = try await copyIn(into: table, columns: columns, format: .binary) {
            (sink) async throws(PersistenceError) -> Bool in
            while try fill(&sink.writer) {
                guard await sink.send() else { return false }
            }
            return true
        }
        return try outcome.count
    }

    private func copyIn<Failure: Error>(
        into table: PostgresIdentifier, columns: [String], format: PostgresCopyFormat, isRaw: Bool = false,
        _ feed: (inout CopySink) async throws(Failure) -> Bool
    ) async throws(PersistenceError) -> CopyOutcome<Failure> {
        do throws(PersistenceError) {
            let list = try PostgresIdentifier.columnList(columns)
            guard isRaw || !columns.isEmpty, columns.count <= 1600 else {
                throw PersistenceError(.invalidArgument, "a row has between 1 and 1600 columns")
            }
            let sql = "COPY \(table.quoted)\(list) FROM STDIN (\(try format.options()))"
            let lease = try await lease()
            let span = lease.begin(.copy, collection: table.parts.joined(separator: "."), text: sql)
            let outcome = await lease.copyIn(
                sql, columnCount: columns.count, isBinary: format == .binary && !isRaw, feed)
            switch outcome {
            case .copied(let count): span?.end(rows: count)
            case .failed(let error):
                span?.end(throwing: error)
                throw error
            case .sourceFailed(let error):
                span?.end(
                    throwing: error as? PersistenceError
                        ?? PersistenceError(.cancelled, "the source of the rows failed, so nothing was inserted"))
            }
            return outcome
        } catch {
            throw error.with { $0.operation = $0.operation ?? "COPY" }
        }
    }
}

extension PostgresIdentifier {
    /// Columns as a command lists them, checked and quoted: nothing for none.
    static func columnList(_ columns: [String]) throws(PersistenceError) -> String {
        guard !columns.isEmpty else { return "" }
        var names: [String] = []
        for column in columns { names.append(try PostgresIdentifier(column).quoted) }
        return " (\(names.joined(separator: ", ")))"
    }
}

extension CopyOutcome where SourceFailure == PersistenceError {
    /// The number of rows, when all went well.
    var count: Int {
        get throws(PersistenceError) {
            switch self {
            case .copied(let count): return count
            case .sourceFailed(let error), .failed(let error):
                throw error.with { $0.operation = $0.operation ?? "COPY" }
            }
        }
    }
}
