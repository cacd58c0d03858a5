public import PersistenceCore

/// An email address that mail can be sent to, normalised for storage.
///
/// Surrounding white space is removed and the domain is put in lower case; the local part keeps the spelling that its
/// owner gave. Two addresses are equal when they differ in case alone, because no common mail system tells `Ada@` from
/// `ada@` and a person must not sign up twice by accident.
///
/// Accepted is the ASCII form without quoting, comments or address literals: a dot-atom, `@`, and a host name of two or
/// more labels (RFC 5321, section 4.1.2; RFC 1123, section 2.1). Limits are 64 octets for the local part, 63 for a label
/// and 254 for the whole (RFC 5321, section 4.5.3.1, with erratum 1690 of RFC 3696). A domain in another script is given
/// in its ASCII form, `xn--…`: one spelling per address, the same under every locale of the database.
public struct EmailAddress: Sendable {
    /// The normalised text.
    public let text: String

    /// Reads an address.
    ///
    /// - Parameter text: The address, with or without white space around it.
    /// - Throws: `PersistenceError` with the code `invalidArgument`, saying which rule is broken and never quoting the
    ///   address.
    public init(_ text: String) throws(PersistenceError) {
        self.text = try Self.normalise(text)
    }

    /// An address as a store returned it, which was valid by the rules of the time it was written.
    package init(stored text: String) {
        self.text = text
    }

    /// The form that decides about equality: all letters in lower case.
    public var folded: String {
        String(decoding: text.utf8.map(\.asciiLowercased), as: UTF8.self)
    }

    /// The part before the last `@`.
    public var localPart: Substring {
        text[..<(text.lastIndex(of: "@") ?? text.endIndex)]
    }

    /// The part after the last `@`.
    public var domain: Substring {
        text.lastIndex(of: "@").map { text[text.index(after: $0)...] } ?? ""
    }
}

extension EmailAddress: Hashable {
    /// Whether two addresses differ in case at most.
    public static func == (left: EmailAddress, right: EmailAddress) -> Bool {
        left.text.utf8.elementsEqual(right.text.utf8) { $0.asciiLowercased == $1.asciiLowercased }
    }

    /// Hashes the folded form.
    public func hash(into hasher: inout Hasher) {
        for byte in text.utf8 { hasher.combine(byte.asciiLowercased) }
        hasher.combine(0xFF as UInt8)
    }
}

extension EmailAddress: Codable, CustomStringConvertible {
    /// The normalised text.
    ///
    /// It identifies a person: keep it out of logs and errors.
    public var description: String { text }

    /// Reads and validates the text.
    public init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }

    /// Writes the text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

extension EmailAddress {
    private static func normalise(_ text: String) throws(PersistenceError) -> String {
        // Looked at before anything else, so that a huge text costs nothing.
        guard text.utf8.count <= 1024 else { throw invalid("is longer than 254 characters") }
        var bytes = Array(text.utf8)[...]
        while let first = bytes.first, first.isWhiteSpace { bytes.removeFirst() }
        while let last = bytes.last, last.isWhiteSpace { bytes.removeLast() }

        guard !bytes.isEmpty else { throw invalid("is empty") }
        guard bytes.count <= 254 else { throw invalid("is longer than 254 characters") }
        guard bytes.allSatisfy({ $0 < 0x80 }) else { throw invalid("has characters outside ASCII") }
        guard let at = bytes.lastIndex(of: UInt8(ascii: "@")) else { throw invalid("has no @") }
        try checkLocalPart(bytes[..<at])
        try checkDomain(bytes[(at + 1)...])

        return String(decoding: bytes[...at] + bytes[(at + 1)...].map(\.asciiLowercased), as: UTF8.self)
    }

    private static func checkLocalPart(_ part: ArraySlice<UInt8>) throws(PersistenceError) {
        guard !part.isEmpty else { throw invalid("has nothing before the @") }
        guard part.count <= 64 else { throw invalid("has more than 64 characters before the @") }
        guard part.allSatisfy({ $0.isAtomText || $0 == UInt8(ascii: ".") }) else {
            throw invalid("has a character before the @ that an address cannot have")
        }
        guard part.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy({ !$0.isEmpty })
        else {
            throw invalid("has a dot before the @ that does not stand between characters")
        }
    }

    private static func checkDomain(_ domain: ArraySlice<UInt8>) throws(PersistenceError) {
        let labels = domain.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard labels.count >= 2 else { throw invalid("has no full domain after the @") }
        for label in labels {
            guard let first = label.first, let last = label.last, label.count <= 63,
                label.allSatisfy({ $0.isLetterOrDigit || $0 == UInt8(ascii: "-") }),
                first.isLetterOrDigit, last.isLetterOrDigit
            else {
                throw invalid("has a domain that is no host name")
            }
        }
        guard let top = labels.last, !top.allSatisfy(\.isDigit) else {
            throw invalid("has a domain that ends in a number")
        }
    }

    private static func invalid(_ reason: String) -> PersistenceError {
        PersistenceError(.invalidArgument, "the email address \(reason)", operation: "EmailAddress")
    }
}

extension UInt8 {
    fileprivate var asciiLowercased: UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self
    }

    fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }

    fileprivate var isLetterOrDigit: Bool {
        isDigit || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(asciiLowercased)
    }

    fileprivate var isWhiteSpace: Bool { self == 0x20 || (0x09...0x0D).contains(self) }

    /// The `atext` of RFC 5322, section 3.2.3.
    fileprivate var isAtomText: Bool {
        isLetterOrDigit || "!#$%&'*+-/=?^_`{|}~".utf8.contains(self)
    }
}
