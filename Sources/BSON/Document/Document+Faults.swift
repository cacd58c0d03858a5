public import PersistenceCore

/// What is wrong with bytes, and where.
///
/// Made into a ``PersistenceError`` at the surface.
struct BSONFault: Error {
    var code: PersistenceError.Code
    var summary: String
    var offset: Int?

    init(_ code: PersistenceError.Code, _ summary: String, at offset: Int?) {
        self.code = code
        self.summary = summary
        self.offset = offset
    }

    var error: PersistenceError {
        PersistenceError(code, summary).with { if let offset { $0.location = "byte \(offset)" } }
    }
}

extension Document {
    /// What was put into a document that BSON cannot hold.
    ///
    /// Kept in two bits that lengths never use, because a length is an Int32 of the format.
    enum Fault {
        /// A key, a pattern or a pattern's options hold a NUL.
        case containsNUL
        /// The document would have more than 2 GiB.
        case tooLong
        /// The bytes were no document.
        case malformed

        var fault: BSONFault {
            switch self {
            case .containsNUL: BSONFault(.encoding, "a key or a regular expression contains a NUL character", at: nil)
            case .tooLong: BSONFault(.tooLarge, "the document would be longer than BSON's lengths can say", at: nil)
            case .malformed: BSONFault(.decoding, "the bytes do not hold a document", at: 0)
            }
        }
    }

    @inline(__always)
    var fault: Fault? {
        get {
            if (startAndFault | countAndFault) & 0x8000_0000 == 0 { return nil }
            switch (startAndFault >> 31, countAndFault >> 31) {
            case (0, 1): return .containsNUL
            case (1, 0): return .tooLong
            default: return .malformed
            }
        }
        set {
            startAndFault &= 0x7FFF_FFFF
            countAndFault &= 0x7FFF_FFFF
            if newValue == .tooLong || newValue == .malformed { startAndFault |= 0x8000_0000 }
            if newValue == .containsNUL || newValue == .malformed { countAndFault |= 0x8000_0000 }
        }
    }

    /// Throws when something was put into the document that BSON cannot hold.
    ///
    /// Building a document does not throw, so that literals and subscripts can be used. What BSON cannot hold is kept as
    /// well as can be, and remembered: a NUL in a key, which would end it early, is written as the bytes C0 80, which
    /// no text has, so that the field matches nothing rather than something else; a document of more than 2 GiB
    /// stays as it was. Whoever sends a document calls this first. It takes no time that grows with the document, and
    /// what is nested has told its parent.
    ///
    /// - Throws: ``PersistenceCore/PersistenceError`` with the code `encoding` for a NUL, `tooLarge` for the length,
    ///   `decoding` when the document was made of bytes that are none.
    public func requireWellFormed() throws(PersistenceError) {
        if let fault { throw fault.fault.error }
    }
}
