internal import BSON
public import PersistenceCore

/// One run of a query: elements that are ready, documents that have come, and the cursor to the others.
///
/// Used by one iterator, hence by one task at a time.
@usableFromInline
final class CursorRun<Element> {
    typealias Open = () async throws(PersistenceError) -> CursorPage

    private enum Phase {
        case unopened(Open)
        case open(CursorHandle)
        case ended
    }

    /// Elements that are ready.
    @usableFromInline
    struct Ready {
        /// Where they are.
        @usableFromInline let memory: UnsafeMutablePointer<Element>
        /// The next one.
        @usableFromInline var next = 0
        /// Behind the last one.
        @usableFromInline var end = 0
    }

    /// Behind a pointer, because a property of a class that other modules read is entered in the runtime's list of
    /// accesses with every access.
    @usableFromInline let ready: UnsafeMutablePointer<Ready>

    private let core: MongoCore
    private let operation: MongoOperation
    private let batchSize: Int
    private let decoding: CursorDecoding<Element>
    private var phase: Phase
    private var batch = DocumentBatch()
    /// How many elements were made ready last.
    private var stride = 2
    /// What was wrong with the document behind those that are ready.
    private var failure: PersistenceError?

    /// How many elements are made ready at a time: a reader who wants few finds few decoded in vain.
    private static var maximumStride: Int { 64 }

    init(
        core: MongoCore, operation: MongoOperation, batchSize: Int, decoding: CursorDecoding<Element>,
        open: @escaping Open
    ) {
        self.core = core
        self.operation = operation
        self.batchSize = batchSize
        self.decoding = decoding
        phase = .unopened(open)
        ready = .allocate(capacity: 1)
        ready.initialize(to: Ready(memory: .allocate(capacity: Self.maximumStride)))
    }

    deinit {
        let left = ready.pointee
        (left.memory + left.next).deinitialize(count: left.end - left.next)
        left.memory.deallocate()
        ready.deallocate()
    }

    /// The next element, when it is ready.
    @inlinable
    func pop() -> Element? {
        let next = ready.pointee.next
        guard next < ready.pointee.end else { return nil }
        ready.pointee.next = next + 1
        return (ready.pointee.memory + next).move()
    }

    /// Makes elements ready, after all that were have been taken.
    ///
    /// - Returns: False when there are no more.
    @usableFromInline
    func advance() async throws(PersistenceError) -> Bool {
        do throws(PersistenceError) {
            repeat {
                if let failure { throw failure }
                decode()
                if ready.pointee.end > 0 { return true }
                if let failure { throw failure }
            } while try await fetch()
            return false
        } catch {
            // Iteration ends with an error, and so does the cursor.
            end()
            throw error
        }
    }

    private func decode() {
        stride = min(2 * stride, Self.maximumStride)
        let (count, error) = decoding.decode(&batch, stride, ready.pointee.memory)
        ready.pointee.next = 0
        ready.pointee.end = count
        failure = error
    }

    /// Gets more documents.
    ///
    /// - Returns: False when there are no more.
    private func fetch() async throws(PersistenceError) -> Bool {
        switch phase {
        case .ended:
            return false
        case .unopened(let open):
            accept(try await open())
        case .open(let handle):
            accept(try await more(of: handle))
        }
        return true
    }

    private func more(of handle: CursorHandle) async throws(PersistenceError) -> CursorPage {
        var next = operation
        next.name = "getMore"
        let count = batchSize
        let size = batch.documents.byteCount
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
        failure = nil
    }
}
