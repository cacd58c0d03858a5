public import PersistenceCore

/// A text of several statements, taken apart by the rules of PostgreSQL's lexer.
///
/// The rules are those of the chapter "Lexical Structure" with `standard_conforming_strings` on, its default: dollar
/// quotes with tags, nested block comments, line comments, standard strings, `E''` strings with backslashes and their
/// continuation on the next line, `U&''` strings, quoted identifiers, and the SQL-standard bodies of functions
/// (`BEGIN ATOMIC … END`). A semicolon inside parentheses does not end a statement, as in `CREATE RULE … DO (a; b)`.
///
/// Taking apart costs time linear in the text's length.
public struct SQLScript: Hashable, Sendable {
    /// A comment that speaks to the library: `-- persistence:no-transaction`.
    public struct Directive: Hashable, Sendable {
        /// What follows `persistence:`.
        public let name: String

        /// Where the comment starts, in bytes of the script's UTF-8 form.
        public let utf8Offset: Int
    }

    /// The whole text.
    public let text: String

    /// The statements in their order; empty ones are left out.
    public let statements: [SQLStatement]

    /// The directives in their order.
    public let directives: [Directive]

    /// Takes a text apart.
    ///
    /// - Parameter text: SQL statements separated by semicolons.
    /// - Throws: ``PersistenceError`` with the code `invalidStatement` and a `location` of `line:column` for a quote or a
    ///   comment that does not end, a command of psql (`\d`), `COPY` from or to the client, and a NUL character, none of
    ///   which the server could be given.
    public init(_ text: String) throws(PersistenceError) {
        var splitter = SQLSplitter(text)
        do throws(SQLSplitter.Fault) {
            try splitter.run()
        } catch {
            let position = SQLPosition(utf8Offset: error.utf8Offset, in: text)
            throw PersistenceError(.invalidStatement, error.summary).with { $0.location = "\(position)" }
        }
        self.text = text
        self.statements = splitter.statements
        self.directives = splitter.directives
    }

    /// The position of a byte.
    ///
    /// - Parameter offset: The byte's offset in the text's UTF-8 form.
    /// - Returns: Its line and column.
    public func position(utf8Offset offset: Int) -> SQLPosition {
        SQLPosition(utf8Offset: offset, in: text)
    }

    /// The position of a character of a statement.
    ///
    /// - Parameters:
    ///   - character: The character's number in the statement, from 1, as the server counts in its error messages.
    ///   - statement: A statement of this script.
    /// - Returns: The line and column in the whole script.
    public func position(ofCharacter character: Int, in statement: SQLStatement) -> SQLPosition {
        let scalars = statement.text.unicodeScalars
        let index = scalars.index(scalars.startIndex, offsetBy: max(0, character - 1), limitedBy: scalars.endIndex)
        let bytes = statement.text.utf8.distance(
            from: statement.text.startIndex, to: index ?? statement.text.endIndex)
        return position(utf8Offset: statement.utf8Offset + bytes)
    }
}
