internal import PersistenceCore

/// Documents that stand one after the other in one buffer, which they share.
package struct DocumentSequence: Sendable {
    private(set) var bytes: [UInt8] = []
    /// Where the next document begins.
    private(set) var position = 0
    /// How many documents are left.
    package private(set) var count = 0

    /// A sequence without documents.
    ///
    /// - Parameter byteCount: For how many bytes to make room.
    package init(byteCount: Int = 0) {
        bytes.reserveCapacity(byteCount)
    }

    /// How many bytes the documents have, those that were read with the others.
    package var byteCount: Int { bytes.count }

    /// Copies a document to the end.
    ///
    /// - Parameter document: The bytes of one document, of which somebody else knows that they are one.
    @inline(__always)
    package mutating func append(copying document: UnsafeRawBufferPointer) {
        bytes.append(contentsOf: document)
        count += 1
    }

    /// The next document, or `nil` after the last.
    package mutating func pop() -> Document? {
        guard count > 0 else { return nil }
        let document = Document(unchecked: bytes, at: position)
        skip(document.byteCount)
        return document
    }

    /// How many bytes the next document has; nil after the last, and when it is none.
    @inline(__always)
    var nextByteCount: Int? {
        guard count > 0 else { return nil }
        return bytes.withUnsafeBytes { Document.byteCount(in: $0, at: position) }
    }

    /// Goes on behind the next document.
    @inline(__always)
    mutating func skip(_ byteCount: Int) {
        position += byteCount
        count -= 1
    }

    /// Makes values of the next documents, up to the first that fails.
    ///
    /// - Parameters:
    ///   - limit: How many at most.
    ///   - memory: Where they go.
    ///   - body: Initialises a place, or throws and does not.
    /// - Returns: How many there are, and what the document behind them failed with.
    @inline(__always)
    mutating func each<Value>(
        _ limit: Int, _ memory: UnsafeMutablePointer<Value>,
        _ body: (UnsafeMutablePointer<Value>, Document) throws(PersistenceError) -> Void
    ) -> (Int, PersistenceError?) {
        var done = 0
        while done < limit, let document = pop() {
            do throws(PersistenceError) {
                try body(memory + done, document)
            } catch {
                return (done, error)
            }
            done += 1
        }
        return (done, nil)
    }
}
