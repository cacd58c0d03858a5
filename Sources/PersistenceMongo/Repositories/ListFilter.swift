import BSON
import MongoEngine
import Persistence
import PersistenceCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Conditions that all hold, for a query: made of values, and of field names that are constants or checked.
struct ListFilter {
    private var conditions: [BSONValue] = []

    init(_ kind: StoredKind) {
        add(["kind": .string(kind.rawValue)])
    }

    mutating func add(_ condition: Document) {
        conditions.append(.document(condition))
    }

    mutating func add(_ field: String, in values: [String]?) {
        guard let values else { return }
        if values.count == 1 {
            add([field: .string(values[0])])
        } else {
            add([field: ["$in": .array(BSONArray(values.sorted().map { .string($0) }))]])
        }
    }

    mutating func add(_ field: String, _ bounds: TimeBounds) {
        var range = Document()
        if let from = bounds.from { range.append("$gte", BSONValue(millisecondsOf: from)) }
        if let before = bounds.before { range.append("$lt", BSONValue(millisecondsOf: before)) }
        if !range.isEmpty { add([field: .document(range)]) }
    }

    /// Only what ended in a period.
    mutating func addEnd(in period: Range<Date>) {
        let bounds = ReportRules.milliseconds(of: period)
        add([
            "endedAt": [
                "$gte": .date(BSONDate(millisecondsSince1970: bounds.lowerBound)),
                "$lt": .date(BSONDate(millisecondsSince1970: bounds.upperBound)),
            ]
        ])
    }

    /// Only what comes after a place, going a way.
    mutating func add(beside date: Date, _ key: String, goesDown: Bool) {
        let comparison = goesDown ? "$lt" : "$gt"
        let date = BSONValue(millisecondsOf: date)
        // The first condition says what the second implies, so that the index is entered at the place.
        add(["at": [goesDown ? "$lte" : "$gte": date]])
        add([
            "$or": [
                ["at": [comparison: date]], ["at": date, "_id": [comparison: .string(key)]],
            ]
        ])
    }

    var document: Document { ["$and": .array(BSONArray(conditions))] }
}

extension ListFilter {
    init(_ filter: ActivityFilter) {
        self.init(.activity)
        add("status", in: filter.statuses?.map(\.rawValue))
        add("label", in: filter.kinds?.map(\.text))
        add("failure.code", in: filter.failureCodes?.map(\.text))
        add("at", filter.time)
        for condition in filter.payload {
            let path = (["payload"] + condition.path.names).joined(separator: ".")
            add([path: ["$eq": BSONValue(condition.value)]])
        }
    }

    init(_ filter: JobExecutionFilter) {
        self.init(.execution)
        add("status", in: filter.states?.map(\.rawValue))
        add("worker", in: filter.workers?.map(\.text))
        add("failure.code", in: filter.failureCodes?.map(\.text))
        add("at", filter.created)
        add("heartbeatAt", filter.heartbeat)
    }
}

/// A page or all of a list that is sorted by time and key.
struct TimedQuery<Key: EntityIdentifier> {
    let listing: TimedListing<Key>
    let kind: StoredKind

    func sort(backward: Bool = false) -> MongoSort {
        listing.isDescending != backward
            ? .descending("at").descending("_id") : .ascending("at").ascending("_id")
    }

    func page<Item>(
        _ request: KeysetPageRequest, in documents: StoredDocuments, _ filter: ListFilter,
        by place: (Item) -> (Date, Key), decode: (StoredFields) throws(PersistenceError) -> Item
    ) async throws(PersistenceError) -> KeysetPage<Item> {
        let isBackward = request.direction == .backward
        var filter = filter
        if let (date, key) = try listing.place(of: request) {
            filter.add(beside: date, kind.key(key), goesDown: listing.isDescending != isBackward)
        }
        var rows: [Item] = []
        for document in try await documents.find(
            filter.document, sort: sort(backward: isBackward), limit: request.fetchLimit)
        {
            rows.append(try decode(try documents.fields(document)))
        }
        return try listing.page(rows, for: request, by: place)
    }
}
