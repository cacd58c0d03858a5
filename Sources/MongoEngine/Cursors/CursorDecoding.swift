internal import BSON
internal import PersistenceCore

/// How a cursor makes elements of documents: some at a time.
struct CursorDecoding<Element> {
    /// Makes elements of the first documents of a batch, up to the first that fails.
    ///
    /// - Parameters:
    ///   - batch: The documents; loses those that were decoded, and the one that failed.
    ///   - limit: How many at most.
    ///   - memory: Where the elements go, with room for as many.
    /// - Returns: How many elements there are, and what was wrong with the document behind them.
    let decode:
        (_ batch: inout DocumentBatch, _ limit: Int, _ memory: UnsafeMutablePointer<Element>)
            -> (count: Int, error: PersistenceError?)
}

extension CursorDecoding {
    /// Makes an element of a document that needs no decoding.
    init(each make: @escaping (Document) -> Element) {
        self.init { batch, limit, memory in
            var count = 0
            while count < limit, let document = batch.pop() {
                (memory + count).initialize(to: make(document))
                count += 1
            }
            return (count, nil)
        }
    }
}
