internal import PersistenceCore

/// How rows look as bytes (PostgreSQL manual, COPY, "File Formats").
public struct PostgresCopyFormat: Sendable, Hashable {
    enum Kind: Hashable, Sendable {
        case text
        case csv(hasHeader: Bool, delimiter: Unicode.Scalar, null: String)
        case binary
    }

    let kind: Kind

    /// Tab-separated lines with backslash escapes; NULL is `\N`.
    public static let text = PostgresCopyFormat(kind: .text)

    /// PostgreSQL's own binary format.
    public static let binary = PostgresCopyFormat(kind: .binary)

    /// Comma-separated values without a header; NULL is an empty field without quotes.
    public static let csv = csv()

    /// Comma-separated values.
    ///
    /// - Parameters:
    ///   - hasHeader: Whether the first line names the columns. On the way in it is skipped, and not compared.
    ///   - delimiter: What separates fields: one ASCII character that is no quote and no end of line.
    ///   - null: What stands for NULL.
    /// - Returns: The format; what the server does not accept is an error of the transfer.
    public static func csv(
        hasHeader: Bool = false, delimiter: Unicode.Scalar = ",", null: String = ""
    ) -> PostgresCopyFormat {
        PostgresCopyFormat(kind: .csv(hasHeader: hasHeader, delimiter: delimiter, null: null))
    }

    /// The options of the COPY command.
    func options() throws(PersistenceError) -> String {
        switch kind {
        case .text: return "FORMAT text, ENCODING 'UTF8'"
        case .binary: return "FORMAT binary"
        case .csv(let hasHeader, let delimiter, let null):
            guard delimiter.isASCII, delimiter.value >= 32 || delimiter == "\t",
                !"\"'\\".unicodeScalars.contains(delimiter)
            else {
                throw PersistenceError(
                    .invalidArgument,
                    "a delimiter is one printable ASCII character or a tab, and no quote or backslash")
            }
            guard null.unicodeScalars.allSatisfy({ $0.value >= 32 && $0 != "\\" }) else {
                throw PersistenceError(
                    .invalidArgument, "what stands for NULL may not contain control characters or backslashes")
            }
            // By scalars: a quote with a combining accent is another character to Swift, and still a quote to the server.
            var quotedNull = String.UnicodeScalarView()
            for scalar in null.unicodeScalars {
                if scalar == "'" { quotedNull.append(scalar) }
                quotedNull.append(scalar)
            }
            let nullText = String(quotedNull)
            return "FORMAT csv, HEADER \(hasHeader), DELIMITER '\(delimiter)', NULL '\(nullText)', ENCODING 'UTF8'"
        }
    }
}
