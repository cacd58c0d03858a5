/// A regular expression in the syntax of PCRE, which the server evaluates.
public struct BSONRegularExpression: Hashable, Sendable {
    /// The pattern.
    public let pattern: String
    /// The options, in alphabetical order: `i` ignores case, `m` lets anchors match at lines, `s` lets the dot match
    /// newlines, `x` ignores white space in the pattern.
    public let options: String

    /// Takes pattern and options.
    ///
    /// - Parameters:
    ///   - pattern: The pattern. It cannot contain NUL: see ``Document/requireWellFormed()``.
    ///   - options: The options, which BSON wants in alphabetical order; they are sorted here. They cannot contain NUL.
    public init(pattern: String, options: String = "") {
        self.pattern = pattern
        let sorted = String.UnicodeScalarView(options.unicodeScalars.sorted())
        self.options = options.utf8.count < 2 ? options : String(sorted)
    }

    /// Takes options as they were read, sorted or not.
    init(pattern: String, storedOptions: String) {
        self.pattern = pattern
        options = storedOptions
    }

    /// A regular expression that finds a text as it is, whatever characters it has.
    ///
    /// - Parameters:
    ///   - text: The text to find.
    ///   - atStart: Whether it must stand at the start, which lets the server use an index.
    ///   - options: As for ``init(pattern:options:)``.
    /// - Returns: The regular expression.
    public static func literal(
        _ text: String, atStart: Bool = false, options: String = ""
    ) -> BSONRegularExpression {
        var pattern = atStart ? "^" : ""
        for scalar in text.unicodeScalars {
            // PCRE takes a backslash before any ASCII punctuation as "this character"; before a letter or digit it
            // would mean something. White space is escaped for the option x.
            if scalar.isASCII, !isAlphanumeric(scalar), scalar != "_", scalar.value > 31 {
                pattern.unicodeScalars.append("\\")
            }
            pattern.unicodeScalars.append(scalar)
        }
        return BSONRegularExpression(pattern: pattern, options: options)
    }

    private static func isAlphanumeric(_ scalar: Unicode.Scalar) -> Bool {
        ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
    }
}
