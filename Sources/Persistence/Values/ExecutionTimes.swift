import PersistenceCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The rules for the times of what begins and ends.
struct ExecutionTimes {
    let startedAt: Date?
    let finishedAt: Date?
    let others: [Date]

    func check(_ operation: String?) throws(PersistenceError) {
        let all = [startedAt, finishedAt].compactMap(\.self) + others
        guard all.allSatisfy(\.isStorable) else {
            throw PersistenceError(.invalidData, "a date is one that milliseconds cannot tell", operation: operation)
        }
        if let startedAt, let finishedAt, finishedAt < startedAt {
            throw PersistenceError(.invalidData, "what ended must not have begun later", operation: operation)
        }
    }
}
