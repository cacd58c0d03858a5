/// A place in a text, for a person: a line and a column, both from 1.
public struct SQLPosition: Hashable, Sendable, CustomStringConvertible {
    /// The line, from 1; lines end with a line feed.
    public var line: Int

    /// The column, from 1, counted in characters as PostgreSQL counts them: Unicode scalars, not bytes.
    public var column: Int

    /// Creates a position.
    ///
    /// - Parameters:
    ///   - line: The line, from 1.
    ///   - column: The column, from 1.
    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    /// Finds the position of a byte.
    ///
    /// - Parameters:
    ///   - offset: The byte's offset in the text's UTF-8 form; beyond the end, the end is meant.
    ///   - text: The text.
    public init(utf8Offset offset: Int, in text: String) {
        var line = 1
        var column = 1
        for byte in text.utf8.prefix(max(0, offset)) {
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if byte & 0b1100_0000 != 0b1000_0000 {
                // Continuation bytes belong to a character that is counted already.
                column += 1
            }
        }
        self.init(line: line, column: column)
    }

    /// `line:column`, as compilers and editors write it.
    public var description: String { "\(line):\(column)" }
}
