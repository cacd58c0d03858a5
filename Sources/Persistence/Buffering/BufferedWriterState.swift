import DequeModule
import PersistenceCore

/// What a writer holds and whom it keeps waiting: a value, so that its rules are tested without tasks and clocks.
struct BufferedWriterState<Item: Sendable>: Sendable {
    enum Phase: Sendable {
        /// Accepts items.
        case open
        /// Accepts no more, and writes what it holds.
        case draining
        /// Holds nothing any more.
        case closed
    }

    struct Entry: Sendable {
        let item: Item
        let size: Int
        let acceptedAt: Duration
    }

    struct Producer: Sendable {
        let id: UInt64
        let item: Item
        let size: Int
        let continuation: CheckedContinuation<Void, any Error>
    }

    struct Flush: Sendable {
        let id: UInt64
        /// How many items must be settled.
        let target: Int
        let continuation: CheckedContinuation<Void, any Error>
        /// The first loss among those.
        var error: PersistenceError?
    }

    enum Step {
        case write([Item])
        /// Until something changes, and at most this long.
        case wait(Duration?)
        case finish
    }

    let bounds: BufferedWriterConfiguration
    var phase = Phase.open
    var isRunning = false
    private(set) var pending: Deque<Entry> = []
    private(set) var pendingSize = 0
    private(set) var inFlight: [Entry] = []
    private var inFlightSize = 0
    var producers: Deque<Producer> = []
    var flushes: [Flush] = []
    private(set) var statistics = BufferedWriterStatistics()

    init(_ bounds: BufferedWriterConfiguration) {
        self.bounds = bounds
    }

    /// How many of the accepted items are written or lost; they are settled in the order in which they were accepted.
    var settled: Int { statistics.written + statistics.lost }

    func hasRoom(for size: Int) -> Bool {
        // Written so that no sum can overflow, whatever sizes items say they have.
        pending.count + inFlight.count < bounds.maximumBufferedCount
            && size <= bounds.maximumBufferedSize - (pendingSize + inFlightSize)
    }

    mutating func accept(_ item: Item, size: Int, now: Duration) {
        pending.append(Entry(item: item, size: size, acceptedAt: now))
        pendingSize += size
        statistics.accepted += 1
    }

    /// Accepts what waited, in order, as far as there is room.
    mutating func admitProducers(now: Duration) -> [CheckedContinuation<Void, any Error>] {
        var admitted: [CheckedContinuation<Void, any Error>] = []
        while phase == .open, let first = producers.first, hasRoom(for: first.size) {
            producers.removeFirst()
            accept(first.item, size: first.size, now: now)
            admitted.append(first.continuation)
        }
        return admitted
    }

    /// What the loop does next.
    ///
    /// A batch that is handed out is in flight until ``settle(lost:error:)``.
    mutating func next(now: Duration) -> Step {
        guard let oldest = pending.first else {
            return phase == .open ? .wait(nil) : .finish
        }
        let age = now - oldest.acceptedAt
        let isDue =
            phase != .open || pending.count >= bounds.maximumBatchCount || pendingSize >= bounds.maximumBatchSize
            || age >= bounds.maximumDelay || !flushes.isEmpty || !producers.isEmpty
        guard isDue else { return .wait(bounds.maximumDelay - age) }
        while let entry = pending.first, inFlight.count < bounds.maximumBatchCount,
            inFlight.isEmpty || inFlightSize + entry.size <= bounds.maximumBatchSize
        {
            pending.removeFirst()
            pendingSize -= entry.size
            inFlight.append(entry)
            inFlightSize += entry.size
        }
        return .write(inFlight.map(\.item))
    }

    /// The batch in flight is written, but for what was refused.
    ///
    /// Returns what was lost.
    mutating func settle(rejections: [Int: PersistenceError]) -> [BufferedWriterLoss<Item>] {
        var losses: [BufferedWriterLoss<Item>] = []
        let first = settled
        for index in inFlight.indices {
            if let error = rejections[index] {
                losses.append(BufferedWriterLoss(items: [inFlight[index].item], error: error))
                remember(first + index + 1, error)
            }
        }
        statistics.written += inFlight.count - losses.count
        statistics.lost += losses.count
        statistics.batches += 1
        clearFlight()
        return losses
    }

    /// The batch in flight could not be written.
    ///
    /// Returns what was lost.
    mutating func fail(_ error: PersistenceError) -> BufferedWriterLoss<Item> {
        let loss = BufferedWriterLoss(items: inFlight.map(\.item), error: error)
        remember(settled + 1, error)
        statistics.lost += inFlight.count
        clearFlight()
        return loss
    }

    /// Gives up what is still held.
    ///
    /// Returns what was lost, if anything.
    mutating func abandon(_ error: PersistenceError) -> BufferedWriterLoss<Item>? {
        inFlight += pending
        pending = []
        pendingSize = 0
        return inFlight.isEmpty ? nil : fail(error)
    }

    /// The flushes that have nothing left to wait for.
    mutating func takeSatisfiedFlushes() -> [Flush] {
        let settled = settled
        let satisfied = flushes.filter { $0.target <= settled }
        flushes.removeAll { $0.target <= settled }
        return satisfied
    }

    /// The statistics as they are now.
    var snapshot: BufferedWriterStatistics {
        var now = statistics
        now.buffered = pending.count + inFlight.count
        now.bufferedSize = pendingSize + inFlightSize
        now.waiting = producers.count
        return now
    }

    /// Tells the flushes that wait for an item, by its number from 1, that it is lost.
    private mutating func remember(_ number: Int, _ error: PersistenceError) {
        for index in flushes.indices where flushes[index].target >= number && flushes[index].error == nil {
            flushes[index].error = error
        }
    }

    private mutating func clearFlight() {
        inFlight = []
        inFlightSize = 0
    }
}
