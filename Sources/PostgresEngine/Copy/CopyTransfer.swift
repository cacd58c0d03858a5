internal import CLibPQ
internal import PersistenceCore

extension PostgresLease {
    /// Sends a COPY command and waits until data can flow.
    ///
    /// - Parameters:
    ///   - sql: The command.
    ///   - direction: What the server must answer.
    ///   - deadline: When to ask the server to stop, for the whole transfer.
    /// - Returns: The name of the flight that stands for the final result.
    /// - Throws: ``PersistenceError`` when the server refuses.
    func beginCopy(
        _ sql: String, _ direction: ExecStatusType, deadline: UInt64
    ) async throws(PersistenceError) -> UInt64 {
        do throws(PersistenceError) {
            try checkIsNotShared("COPY")
            let preamble = try transaction?.takePreamble() ?? []
            if !preamble.isEmpty {
                // libpq has no COPY in a pipeline, so BEGIN travels alone.
                let reply = await session.fly(deadline: deadline) { state, flight in
                    state.sendPipelined(preamble, syncEach: false, flight: &flight) ? .sent : .failed
                }
                try reply.check(expecting: preamble.count, session: session, sql: "BEGIN")
            }
            let reply = await session.fly(deadline: deadline) { state, _ in
                state.scratch.removeAll()
                return state.sendUnnamedAlone(sql) ? .sent : .failed
            }
            if reply.failure == nil, reply.count == 1, PQresultStatus(reply.result(0)) == direction {
                let id = session.makeFlightID()
                // The server begins to send only when it has a buffer full, so the wait for that can have been ended.
                session.beginCopyData(id, deadline: deadline, interruption: reply.interruption)
                return id
            }
            try reply.check(expecting: 1, session: session, sql: sql)
            throw PersistenceError(.internal, "the server did not begin the transfer")
        } catch {
            throw transaction?.note(error) ?? error
        }
    }

    /// Makes the number of rows, or the error, of the final result of a COPY.
    func concludeCopy(_ reply: borrowing ServerReply, _ sql: String) throws(PersistenceError) -> Int {
        do throws(PersistenceError) {
            try reply.check(expecting: 1, session: session, sql: sql)
        } catch {
            // A pooler that has lost its server uses the same code, and ends the connection with it.
            let isPoolers = reply.serverError?.error.endsConnection ?? false
            let error = isPoolers ? error : error.explainingBinaryData
            throw transaction?.note(error) ?? error
        }
        return PQcmdTuples(reply.result(0)).flatMap { Int(String(cString: $0)) } ?? 0
    }
}

/// Where the rows of a COPY go on their way to the server.
struct CopySink: ~Copyable {
    let session: PostgresSession
    var writer: PostgresCopyWriter

    /// Sends whole pieces of what has been gathered, and keeps the rest for the next.
    ///
    /// - Returns: `false` when the transfer has ended before its time: the final result says why.
    mutating func send() async -> Bool {
        await send(writer.writer.count / PostgresCopyWriter.piece * PostgresCopyWriter.piece)
    }

    /// Sends all that has been gathered.
    mutating func sendRest() async -> Bool {
        await send(writer.writer.count)
    }

    private mutating func send(_ size: Int) async -> Bool {
        let goesOn = await session.sendCopyData(writer.writer, first: size)
        writer.writer.removeFirst(size)
        return goesOn
    }

    /// Sends what has been gathered, if it is enough.
    mutating func sendWhenFull() async -> Bool {
        guard writer.writer.count >= PostgresCopyWriter.piece else { return true }
        return await send()
    }
}

/// How a transfer to the server ended.
enum CopyOutcome<SourceFailure: Error> {
    case copied(Int)
    /// The source threw; the server has kept nothing.
    case sourceFailed(SourceFailure)
    case failed(PersistenceError)
}

extension PostgresLease {
    /// Copies to the server what `feed` puts into the sink.
    func copyIn<SourceFailure: Error>(
        _ sql: String, columnCount: Int, isBinary: Bool,
        _ feed: (inout CopySink) async throws(SourceFailure) -> Bool
    ) async -> CopyOutcome<SourceFailure> {
        let deadline = context.deadline
        let id: UInt64
        do throws(PersistenceError) {
            id = try await beginCopy(sql, PGRES_COPY_IN, deadline: deadline)
        } catch {
            return .failed(error)
        }
        let session = session
        var sourceFailure: SourceFailure?
        let raw = await withTaskCancellationHandler {
            var sink = CopySink(session: session, writer: PostgresCopyWriter(columnCount: columnCount))
            if isBinary { sink.writer.beginFile() }
            var goesOn = false
            do throws(SourceFailure) {
                goesOn = try await feed(&sink)
            } catch {
                sourceFailure = error
            }
            if goesOn {
                if isBinary { sink.writer.endFile() }
                goesOn = await sink.sendRest()
            }
            return await session.endCopy(isComplete: goesOn)
        } onCancel: {
            session.interrupt(id, .task)
        }
        let reply = ServerReply(raw)
        if let sourceFailure {
            // The server's complaint about the transfer that was broken off is only noise, but its transaction is lost.
            do throws(PersistenceError) { _ = try concludeCopy(reply, sql) } catch {}
            return .sourceFailed(sourceFailure)
        }
        do throws(PersistenceError) {
            return .copied(try concludeCopy(reply, sql))
        } catch {
            return .failed(error)
        }
    }
}

extension PostgresCopyWriter {
    /// Appends what the binary format begins with: signature, flags, length of the extension (PostgreSQL manual, COPY).
    mutating func beginFile() {
        writer.write(bytes: Self.signature)
        writer.write(Int32(0))
        writer.write(Int32(0))
    }

    /// Appends what the binary format ends with.
    mutating func endFile() {
        writer.write(Int16(-1))
    }

    static var signature: [UInt8] { [0x50, 0x47, 0x43, 0x4F, 0x50, 0x59, 0x0A, 0xFF, 0x0D, 0x0A, 0x00] }
}

extension PersistenceError {
    /// The server calls a field of the wrong length a violation of the protocol, although the connection lives on.
    fileprivate var explainingBinaryData: PersistenceError {
        guard serverCode == "08P01" else { return self }
        return with { error in
            error.code = .invalidData
            error.summary = "a field is not in the binary representation of its column's type"
            error.retrySafety = .unsafe
        }
    }
}
