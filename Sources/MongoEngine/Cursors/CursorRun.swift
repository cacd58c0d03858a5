internal import BSON
internal import PersistenceCore

/// One run of a query: documents that have come, and the cursor to the others.
///
/// Used by one iterator, hence by one task at a time.
final class CursorRun<Element> {
    typealias Open = () async throws(PersistenceError) -> CursorPage

    private enum Phase {
        case unopened(Open)
        case open(CursorHandle)
        case ended
    }

    private let core: MongoCore
    private let operation: MongoOperation
    private let batchSize: Int
    private let decode: (Document) throws(PersistenceError) -> Element
    private var phase: Phase
    private var batch = DocumentBatch()

    init(
        core: MongoCore, operation: MongoOperation, batchSize: Int,
        decode: @escaping (Document) throws(PersistenceError) -> Element, open: @escaping Open
    ) {
        self.core = core
        self.operation = operation
        self.batchSize = batchSize
        self.decode = decode
        phase = .unopened(open)
    }

    /// The next document, when it is here already.
    func buffered() throws(PersistenceError) -> Element? {
        guard let document = batch.pop() else { return nil }
        do {
            return try decode(document)
        } catch {
            // Iteration ends with an error, and so does the cursor.
            end()
            throw error
        }
    }

    /// Gets more documents.
    ///
    /// - Returns: False when there are no more.
    func fetch() async throws(PersistenceError) -> Bool {
        do throws(PersistenceError) {
            switch phase {
            case .ended:
                return false
            case .unopened(let open):
                accept(try await open())
            case .open(let handle):
                accept(try await more(of: handle))
            }
        } catch {
            end()
            throw error
        }
        return true
    }

    private func more(of handle: CursorHandle) async throws(PersistenceError) -> CursorPage {
        var next = operation
        next.name = "getMore"
        let count = batchSize
        let size = batch.size
        return try await core.run(next, session: handle.session, lane: handle.lane, rows: { $0.batch.count }) { _ in
            var batch = DocumentBatch(expecting: size)
            return batch.fill(from: handle.pointer.raw, count: count).map { hasMore in
                CursorPage(batch: batch, handle: hasMore ? handle : nil)
            }
        }
    }

    private func accept(_ page: CursorPage) {
        batch = page.batch
        phase = page.handle.map { .open($0) } ?? .ended
    }

    private func end() {
        phase = .ended
        batch = DocumentBatch()
    }
}
