import BSON
import MongoEngine
import Persistence
import PersistenceCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Figures about what has ended, made by the server.
struct DocumentReports {
    let documents: StoredDocuments
    let kind: StoredKind

    func outcomesPerDay(in period: Range<Date>) async throws(PersistenceError) -> [DailyOutcomes] {
        let groups = try await documents.aggregate([
            match(period),
            [
                "$group": [
                    "_id": [
                        "day": ["$dateToString": ["format": "%Y-%m-%d", "date": "$endedAt"]], "status": "$status",
                    ],
                    "count": ["$sum": 1],
                ]
            ],
        ])
        var days: [Int64: [ExecutionOutcome: Int]] = [:]
        for group in groups {
            guard let day = group["_id"]?["day"]?.string.flatMap(Self.day), let count = group["count"]?.int,
                let status = group["_id"]?["status"]?.string, let outcome = ExecutionOutcome(rawValue: status)
            else { throw unreadable }
            days[day, default: [:]][outcome] = count
        }
        return days.sorted { $0.key < $1.key }.map { DailyOutcomes(day: Date(milliseconds: $0.key), counts: $0.value) }
    }

    /// The percentiles of a histogram that the server makes: exact, because durations are whole milliseconds, and small,
    /// because it has one line per different duration.
    func latency(_ percentiles: [Double], in period: Range<Date>) async throws(PersistenceError) -> LatencyReport {
        var filter = ended(in: period)
        filter.add(["durationMs": ["$exists": true]])
        let lines = try await documents.aggregate([
            ["$match": .document(filter.document)],
            ["$group": ["_id": "$durationMs", "count": ["$sum": 1]]],
            ["$sort": ["_id": 1]],
        ])
        var histogram: [(milliseconds: Int, upTo: Int)] = []
        var total = 0
        for line in lines {
            guard let milliseconds = line["_id"]?.int, let count = line["count"]?.int else { throw unreadable }
            total += count
            histogram.append((milliseconds, total))
        }
        guard total > 0 else { return LatencyReport(count: 0, percentiles: [:]) }
        var values: [Double: Duration] = [:]
        for percentile in percentiles {
            let index = ReportRules.index(of: percentile, count: total)
            // There is one, because the last line goes up to the total.
            guard let line = histogram.first(where: { $0.upTo > index }) else { throw unreadable }
            values[percentile] = .milliseconds(line.milliseconds)
        }
        return LatencyReport(count: total, percentiles: values)
    }

    func topErrors(_ limit: Int, in period: Range<Date>) async throws(PersistenceError) -> [ErrorCount] {
        var filter = ended(in: period)
        filter.add(["status": .string(ExecutionOutcome.failed.rawValue)])
        filter.add(["failure.code": ["$exists": true]])
        let groups = try await documents.aggregate([
            ["$match": .document(filter.document)],
            [
                "$group": [
                    "_id": "$failure.code", "count": ["$sum": 1], "lastAt": ["$max": "$endedAt"],
                ]
            ],
            ["$sort": ["count": -1, "_id": 1]],
            ["$limit": .int64(Int64(limit))],
        ])
        var counts: [ErrorCount] = []
        for group in groups {
            guard let code = group["_id"]?.string, let count = group["count"]?.int,
                case .date(let last)? = group["lastAt"]
            else { throw unreadable }
            counts.append(
                ErrorCount(
                    code: Label(stored: code), count: count, lastAt: Date(milliseconds: last.millisecondsSince1970)))
        }
        return counts
    }

    private func match(_ period: Range<Date>) -> Document { ["$match": .document(ended(in: period).document)] }

    private func ended(in period: Range<Date>) -> ListFilter {
        var filter = ListFilter(kind)
        filter.addEnd(in: period)
        return filter
    }

    private var unreadable: PersistenceError {
        PersistenceError(.decoding, "the server's figures are not as they should be")
    }

    /// Midnight UTC of a day written as `2026-03-01`, in milliseconds since 1970; years may have more digits and a sign.
    private static func day(_ text: String) -> Int64? {
        let isNegative = text.hasPrefix("-")
        let parts = text.drop { $0 == "-" }.split(separator: "-").compactMap { Int64($0) }
        guard parts.count == 3, (1...12).contains(parts[1]), (1...31).contains(parts[2]) else { return nil }
        let year = isNegative ? -parts[0] : parts[0]
        return days(year: year, month: parts[1], day: parts[2]) * 86_400_000
    }

    /// The days since 1970-01-01 in the proleptic Gregorian calendar, counted in eras of 400 years that begin in March.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
