internal import CLibPQ
internal import PersistenceCore

/// Why the library interrupted a statement.
typealias Interruption = PostgresServerError.Interruption

/// What a flight of commands brought back: a result for each command, in order, or the reason why none can come.
///
/// The value owns its results until they are taken out.
struct ServerReply: ~Copyable, Sendable {
    // The first result is kept outside the array, so that a single command allocates nothing.
    private var first: ResultPointer?
    private var rest: [ResultPointer]?
    /// Why the connection could not answer; results that came before are kept.
    let failure: PersistenceError?
    /// Whether the library asked the server to stop.
    let interruption: Interruption?

    init(_ raw: RawReply) {
        first = raw.first
        rest = raw.rest
        failure = raw.failure
        interruption = raw.interruption
    }

    deinit {
        if let first { PQclear(first.pointer) }
        guard let rest else { return }
        for result in rest { PQclear(result.pointer) }
    }

    var count: Int { first == nil ? 0 : 1 + (rest?.count ?? 0) }

    /// Whether this is what nearly every statement brings: one result, and nothing to say about it.
    var isOneGoodResult: Bool {
        guard let first, rest == nil, failure == nil else { return false }
        let status = PQresultStatus(first.pointer)
        return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK
    }

    /// The result of a command, still owned by the reply.
    func result(_ index: Int) -> OpaquePointer {
        if index == 0, let first { return first.pointer }
        // Not nil: only a reply with results is asked for one, and every result but the first is here.
        return rest![index - 1].pointer
    }

    /// Takes one result out; the others are freed.
    consuming func take(_ index: Int) -> PostgresResult {
        if index == 0, let pointer = first {
            first = nil
            return PostgresResult(stealing: pointer.pointer)
        }
        var others = rest.take() ?? []
        let pointer = others.remove(at: index - 1)
        rest = others
        return PostgresResult(stealing: pointer.pointer)
    }

    /// The first error among the results, by the command's index.
    var firstError: (index: Int, result: OpaquePointer)? {
        for index in 0..<count {
            let pointer = result(index)
            switch PQresultStatus(pointer) {
            case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE: return (index, pointer)
            default: continue
            }
        }
        return nil
    }
}

extension ServerReply {
    /// The first error that the server itself has answered with, by the command's index.
    var serverError: (index: Int, error: PostgresServerError)? {
        // A result without a SQLSTATE is libpq's own word for a lost connection, which `failure` tells better.
        guard let (index, result) = firstError, let error = PostgresServerError(result: result) else { return nil }
        return (index, error)
    }
}

/// A `PGresult` on its way between threads.
///
/// @unchecked: a result is read-only once libpq has handed it out, and exactly one holder frees it.
struct ResultPointer: @unchecked Sendable {
    let pointer: OpaquePointer
}

/// The copyable form of a ``ServerReply``: continuations cannot carry noncopyable values.
struct RawReply: Sendable {
    var first: ResultPointer?
    var rest: [ResultPointer]?
    var failure: PersistenceError?
    var interruption: Interruption?

    mutating func append(_ pointer: OpaquePointer) {
        if first == nil {
            first = ResultPointer(pointer: pointer)
        } else if rest == nil {
            rest = [ResultPointer(pointer: pointer)]
        } else {
            rest?.append(ResultPointer(pointer: pointer))
        }
    }

    /// Puts a result in the place of the last one, which it refutes.
    mutating func replaceLast(_ pointer: OpaquePointer) {
        if let last = rest?.popLast() {
            PQclear(last.pointer)
        } else if let last = first.take() {
            PQclear(last.pointer)
        }
        append(pointer)
    }

    /// Frees the results of a reply that nobody waits for any more.
    mutating func discard() {
        if let first { PQclear(first.pointer) }
        for result in rest ?? [] { PQclear(result.pointer) }
        first = nil
        rest = nil
    }
}
