import Persistence
import PersistenceCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension ActivityFilter {
    func matches(_ metadata: ActivityMetadata) -> Bool {
        if let statuses, !statuses.contains(metadata.status) { return false }
        if let kinds, !(metadata.kind.map(kinds.contains) ?? false) { return false }
        if let failureCodes, !(metadata.failure.map { failureCodes.contains($0.code) } ?? false) { return false }
        guard time.contains(metadata.occurredAt) else { return false }
        return payload.allSatisfy { condition in
            PayloadValue.object(metadata.payload).has(condition.value, at: condition.path.names[...])
        }
    }
}

extension JobExecutionFilter {
    func matches(_ execution: JobExecution) -> Bool {
        if let states, !states.contains(execution.state) { return false }
        if let workers, !(execution.worker.map(workers.contains) ?? false) { return false }
        if let failureCodes, !(execution.failure.map { failureCodes.contains($0.code) } ?? false) { return false }
        guard created.contains(execution.createdAt) else { return false }
        if heartbeat != TimeBounds() {
            guard let heartbeatAt = execution.heartbeatAt, heartbeat.contains(heartbeatAt) else { return false }
        }
        return true
    }
}

extension PayloadValue {
    /// Whether a value is at a path, as MongoDB looks for it: also in a list there, and through lists on the way.
    fileprivate func has(_ value: PayloadValue, at path: ArraySlice<String>) -> Bool {
        guard let name = path.first else {
            return isSame(as: value) || (arrayValue?.contains { $0.isSame(as: value) } ?? false)
        }
        let rest = path.dropFirst()
        switch self {
        case .object(let payload):
            return payload[name]?.has(value, at: rest) ?? false
        case .array(let elements):
            return elements.contains { $0.objectValue?[name]?.has(value, at: rest) ?? false }
        default:
            return false
        }
    }

    private func isSame(as other: PayloadValue) -> Bool {
        switch (self, other) {
        case (.integer(let left), .double(let right)): Int64(exactly: right) == left
        case (.double(let left), .integer(let right)): Int64(exactly: left) == right
        case (.text(let left), .text(let right)): left.utf8.elementsEqual(right.utf8)
        case (.date(let left), .date(let right)): left.inMilliseconds == right.inMilliseconds
        default: self == other
        }
    }
}
