/// The advisory lock that golang-migrate takes.
///
/// Its number is the CRC-32 of schema, table and database, each followed by a NUL but the last, times a constant, modulo
/// 2³². What stands for the database depends on how golang-migrate was opened: by a URL it is the URL's path with its
/// slash, on a handle that a program has opened it is the database's name. Only who holds both locks excludes both.
enum MigrationLockIdentifiers {
    private static let salt: UInt32 = 1_486_364_155

    /// Both numbers, ascending, so that everyone takes them in the same order.
    static func both(schema: String, table: String, database: String) -> [Int64] {
        [identifier(schema, table, database), identifier(schema, table, "/" + database)].sorted()
    }

    static func identifier(_ schema: String, _ table: String, _ database: String) -> Int64 {
        Int64(crc32(Array("\(schema)\0\(table)\0\(database)".utf8)) &* salt)
    }

    /// The cyclic redundancy check of ISO 3309, as in gzip.
    static func crc32(_ bytes: [UInt8]) -> UInt32 {
        var remainder = UInt32.max
        for byte in bytes {
            remainder ^= UInt32(byte)
            for _ in 0..<8 {
                remainder = remainder & 1 == 0 ? remainder >> 1 : remainder >> 1 ^ 0xEDB8_8320
            }
        }
        return ~remainder
    }
}
