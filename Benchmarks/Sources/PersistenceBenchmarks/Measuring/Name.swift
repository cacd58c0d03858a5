import BenchmarkSupport

/// The contenders' names, which the targets know them by.
enum Name {
    static let c = "libpq in C, a thread each"
    static let cPipelined = "libpq in C, pipelined on 2"
    static let executor = "library's executor"
    static let globalPool = "global pool"
    static let repository = "typed repository"
    static let statement = "interpolated statement"
    static let traced = "traced and metered"

    static let cTransaction = "libpq in C, 5 round trips"
    static let cFlights = "libpq in C, 2 flights"
    static let plain = "plain, 5 round trips"
    static let plainGlobalPool = "plain, global pool"
    static let fused = "BEGIN fused, 4 flights"
    static let threeFlights = "3 flights"
    static let twoFlights = "2 flights"

    static let cCopy = "libpq in C, PQputCopyData"
    static let copy = "binary COPY"
    static let arrays = "arrays through unnest"
    static let psqlBinary = "psql \\copy, binary"
    static let psqlText = "psql \\copy, text"

    static let pgbench = "pgbench"
    static let asyncpg = "asyncpg"
    static let psycopg = "psycopg"
}
