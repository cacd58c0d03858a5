import Persistence
import PersistenceCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What every ``Persistence/ActivityMetadataRepository`` must do.
public enum ActivityMetadataRepositoryConformance {
    /// The checks.
    public static let checks: [ConformanceCheck<DocumentFixture>] =
        recording + changes + lists + reports + isolation

    private static let recording: [ConformanceCheck<DocumentFixture>] = [
        ConformanceCheck("What is recorded comes back as it was, whatever its payload") { fixture in
            let metadata = try fixture.activities()
            let full = ActivityMetadata(
                kind: try Label("text.summarise"), status: .failed, occurredAt: fixture.time.now,
                startedAt: fixture.time.now, finishedAt: fixture.time.now + 1.234_567,
                failure: try ExecutionFailure(code: Label("rate:limit"), message: "too \u{0} fast"),
                payload: SamplePayload.everything)
            let bare = ActivityMetadata(occurredAt: fixture.time.now)
            for item in [full, bare] {
                try await metadata.insert(item)
                try expectEqual(try await metadata.metadata(of: item.activity), item, "the metadata")
            }
            let both = try await metadata.metadata(of: [full.activity, bare.activity, ActivityID(), full.activity])
            try expectEqual(both, [full.activity: full, bare.activity: bare], "both")
            try expectEqual(try await metadata.metadata(of: ActivityID()), nil, "metadata of no activity")
            try expectEqual(try await metadata.metadata(of: []), [:], "metadata of none")
        },
        ConformanceCheck("An activity is recorded once") { fixture in
            let metadata = try fixture.activities()
            let first = ActivityMetadata(payload: ["attempt": 1])
            try await metadata.insert(first)
            let again = ActivityMetadata(activity: first.activity, payload: ["attempt": 2])
            try await fixture.expectError(.uniqueViolation, .activityID, "recording it again") {
                try await metadata.insert(again)
            }
            let other = ActivityMetadata()
            let inserted = try await metadata.insertManyIfAbsent([again, other, other])
            try expectEqual(inserted, [other.activity], "what was recorded")
            try expectEqual(try await metadata.metadata(of: first.activity), first, "the first metadata")
            try expectEqual(try await metadata.insertManyIfAbsent([]), [], "what was recorded of none")
            try expectEqual(try await metadata.count(matching: .all), 2, "the number of activities")
        },
        ConformanceCheck("Of many who record the same activities at once, each is recorded by one") {
            fixture in
            let metadata = try fixture.activities()
            let items = (0..<50).map { ActivityMetadata(payload: ["n": .integer(Int64($0))]) }
            let outcomes = await concurrently(8) { index in
                try await metadata.insertManyIfAbsent(index.isMultiple(of: 2) ? items : items.reversed())
            }
            let recorded = try outcomes.flatMap { try $0.get() }
            try expectEqual(recorded.count, items.count, "the number of activities that were recorded")
            try expectEqual(Set(recorded), Set(items.map(\.activity)), "the activities that were recorded")
            try expectEqual(try await metadata.count(matching: .all), items.count, "the number of activities")
        },
        ConformanceCheck("Thousands are recorded at once, and more than a batch are refused") { fixture in
            let metadata = try fixture.activities()
            let items = (0..<3000).map { ActivityMetadata(payload: ["n": .integer(Int64($0)), "model": "m-1"]) }
            try expectEqual(
                try await metadata.insertManyIfAbsent(items), items.map(\.activity), "what was recorded")
            try expectEqual(try await metadata.count(matching: .all), 3000, "the number of activities")
            let many = Array(repeating: items[0], count: Batch.maximumCount + 1)
            try await fixture.expectError(.tooLarge, nil, "recording too many") {
                try await metadata.insertManyIfAbsent(many)
            }
            try await fixture.expectError(.tooLarge, nil, "looking too many up") {
                _ = try await metadata.metadata(of: many.map(\.activity))
            }
        },
        ConformanceCheck("What contradicts itself, or no store can keep, is refused and not recorded") { fixture in
            let metadata = try fixture.activities()
            let now = fixture.time.now
            let failure = try ExecutionFailure(code: Label("x"))
            let invalid = [
                ActivityMetadata(startedAt: now, finishedAt: now - 1),
                ActivityMetadata(status: .succeeded, failure: failure),
                ActivityMetadata(occurredAt: Date(timeIntervalSince1970: .nan)),
                ActivityMetadata(occurredAt: Date(timeIntervalSince1970: .infinity)),
                ActivityMetadata(payload: ["$where": "1"]), ActivityMetadata(payload: ["a": ["$gt": 1]]),
                ActivityMetadata(payload: ["a\u{0}b": 1]), ActivityMetadata(payload: ["x": .double(.nan)]),
                ActivityMetadata(payload: ["x": [.double(.infinity)]]),
                ActivityMetadata(payload: ["x": .date(.init(timeIntervalSince1970: 1e30))]),
                ActivityMetadata(payload: SamplePayload.nested(Payload.maximumDepth + 1)),
            ]
            for (index, item) in invalid.enumerated() {
                try await fixture.expectError(.invalidData, nil, "recording invalid metadata \(index)") {
                    try await metadata.insert(item)
                }
                try await fixture.expectError(.invalidData, nil, "recording invalid metadata \(index) with others") {
                    try await metadata.insertManyIfAbsent([ActivityMetadata(), item])
                }
            }
            let huge = ActivityMetadata(
                payload: ["x": .text(String(repeating: "x", count: Payload.maximumSize))])
            try await fixture.expectError(.tooLarge, nil, "recording a huge payload") {
                try await metadata.insert(huge)
            }
            try expectEqual(try await metadata.count(matching: .all), 0, "the number of activities")
        },
        ConformanceCheck("The largest and the deepest payload are kept") { fixture in
            let metadata = try fixture.activities()
            let name: Payload = ["x": ""]
            let large = ActivityMetadata(
                payload: ["x": .text(String(repeating: "é", count: (Payload.maximumSize - name.encodedSize) / 2))])
            let deep = ActivityMetadata(payload: SamplePayload.nested(Payload.maximumDepth))
            for item in [large, deep] {
                try await metadata.insert(item)
                let stored = try await metadata.metadata(of: item.activity)
                try expect(stored == item, "the metadata comes back")
            }
        },
        UnwantedCallsConformance.activities,
    ]

    private static let changes: [ConformanceCheck<DocumentFixture>] = [
        ConformanceCheck("Changes are put over what is there, and the rest stays") { fixture in
            let metadata = try fixture.activities()
            let now = fixture.time.now
            let item = ActivityMetadata(
                kind: try Label("k"), status: .running, occurredAt: now, startedAt: now,
                payload: ["a": 1, "b.c": ["x": 1, "y": 2]])
            try await metadata.insert(item)
            let failure = try ExecutionFailure(code: Label("timeout"), message: "too slow")
            let failed = try await metadata.update(
                item.activity,
                with: ActivityMetadataUpdate(
                    status: .failed, finishedAt: now + 2, failure: failure, payload: ["b.c": ["z": 3], "d": nil]))
            let expected = ActivityMetadata(
                activity: item.activity, kind: item.kind, status: .failed, occurredAt: now, startedAt: now,
                finishedAt: now + 2, failure: failure, payload: ["a": 1, "b.c": ["z": 3], "d": nil])
            try expectEqual(failed, expected, "the changed metadata")
            try expectEqual(try await metadata.metadata(of: item.activity), expected, "the stored metadata")

            let retried = try await metadata.update(item.activity, with: ActivityMetadataUpdate(status: .running))
            try expectEqual(retried.failure, nil, "the failure of an activity that runs again")
            let same = try await metadata.update(item.activity, with: ActivityMetadataUpdate())
            try expectEqual(same, retried, "the metadata after no change")
        },
        ConformanceCheck("Changes that several make at once are all there") { fixture in
            let metadata = try fixture.activities()
            let item = ActivityMetadata()
            try await metadata.insert(item)
            let outcomes = await concurrently(12) { index in
                try await metadata.update(
                    item.activity, with: ActivityMetadataUpdate(payload: ["f\(index)": .integer(Int64(index))]))
            }
            for outcome in outcomes { _ = try outcome.get() }
            let stored = try await metadata.metadata(of: item.activity)
            let expected = Payload(
                Dictionary(uniqueKeysWithValues: (0..<12).map { ("f\($0)", PayloadValue.integer(Int64($0))) }))
            try expectEqual(stored?.payload.fields ?? [:], expected.fields, "the payload")
        },
        ConformanceCheck("Changes to what is not there, or that cannot be kept, are refused") { fixture in
            let metadata = try fixture.activities()
            let now = fixture.time.now
            try await fixture.expectError(.notFound, nil, "changing nothing") {
                try await metadata.update(ActivityID(), with: ActivityMetadataUpdate(status: .failed))
            }
            let item = ActivityMetadata(startedAt: now)
            try await metadata.insert(item)
            for changes in [
                ActivityMetadataUpdate(finishedAt: now - 1), ActivityMetadataUpdate(payload: ["$set": 1]),
                ActivityMetadataUpdate(failure: try ExecutionFailure(code: Label("x"))),
            ] {
                try await fixture.expectError(.invalidData, nil, "a change that cannot be kept") {
                    try await metadata.update(item.activity, with: changes)
                }
            }
            try expectEqual(try await metadata.metadata(of: item.activity), item, "the stored metadata")
        },
        ConformanceCheck("One is removed, and all before a point in time") { fixture in
            let metadata = try fixture.activities()
            let now = fixture.time.now
            let items = (0..<5).map { ActivityMetadata(occurredAt: now + Double($0)) }
            try await metadata.insertManyIfAbsent(items)
            try expectEqual(try await metadata.delete(items[4].activity), true, "whether one was removed")
            try expectEqual(try await metadata.delete(items[4].activity), false, "whether it was removed again")
            try expectEqual(try await metadata.deleteAll(before: now + 2), 2, "how many were removed")
            try expectEqual(try await metadata.deleteAll(before: now - 1e6), 0, "how many old ones were removed")
            let rest = try await metadata.stream(matching: .all, sortedBy: .oldestFirst).collect()
            try expectEqual(rest, Array(items[2...3]), "what is left")
            try await fixture.expectError(.invalidArgument, nil, "removing before no time") {
                try await metadata.deleteAll(before: Date(timeIntervalSince1970: .nan))
            }
        },
    ]

    private static let lists: [ConformanceCheck<DocumentFixture>] = [
        ConformanceCheck("Filters find what they say, and no operator hides in a value") { fixture in
            let metadata = try fixture.activities()
            let items = try await fixture.recordSamples(in: metadata)
            let (mail, web) = (try Label("mail"), try Label("web"))
            let now = fixture.time.now
            let cases: [(ActivityFilter, [Int])] = [
                (.all, [0, 1, 2, 3, 4, 5]), (.status(.failed), [1, 3]), (.status(.failed, .succeeded), [0, 1, 3, 4]),
                (.status(), []), (.kind(mail), [0, 1]), (.kind(mail, web), [0, 1, 2]),
                (.kind(mail).and(.status(.failed)), [1]), (.kind(mail).and(.kind(web)), []),
                (.failure(try Label("timeout")), [1]),
                (.failure(try Label("timeout"), try Label("quota")), [1, 3]),
                (.occurred(from: now + 2), [2, 3, 4, 5]),
                (.occurred(from: now + 2).and(.occurred(before: now + 4)), [2, 3]),
                (.payload("model", equals: "m-1"), [0, 2]), (.payload("tokens", equals: 812), [0, 1]),
                (.payload("tokens", equals: 812.0), [0, 1]), (.payload("tokens", equals: 812.5), []),
                (.payload("tags", equals: "b"), [2]), (.payload(["cost", "amount"], equals: 2), [3]),
                (.payload(["steps", "name"], equals: "two"), [4]), (.payload("ok", equals: true), [5]),
                (.payload("model", equals: "$ne"), []), (.payload("model", equals: "m-1").and(.kind(web)), [2]),
                (.payload("at", equals: .date(now)), [5]), (.payload("key", equals: .bytes([1, 2])), [5]),
            ]
            for (index, (filter, expected)) in cases.enumerated() {
                let found = try await metadata.stream(matching: filter, sortedBy: .oldestFirst).collect()
                try expectEqual(
                    found.map(\.activity), expected.map { items[$0].activity }, "what filter \(index) finds")
                try expectEqual(
                    try await metadata.count(matching: filter), expected.count, "the count of filter \(index)")
            }
        },
        ConformanceCheck("A filter that databases would read in different ways is refused") { fixture in
            let metadata = try fixture.activities()
            try await metadata.insert(ActivityMetadata(payload: ["a": 1]))
            for filter in [
                ActivityFilter.payload("$where", equals: 1), .payload("a.b", equals: 1), .payload([], equals: 1),
                .payload("", equals: 1), .payload("a\u{0}", equals: 1), .payload("a", equals: nil),
                .payload("a", equals: ["$gt": 0]), .payload("a", equals: [1]),
                .payload("a", equals: .double(.nan)), .occurred(from: Date(timeIntervalSince1970: .nan)),
            ] {
                try await fixture.expectError(.invalidArgument, nil, "counting") {
                    _ = try await metadata.count(matching: filter)
                }
                try await fixture.expectError(.invalidArgument, nil, "listing") {
                    _ = try await metadata.metadata(
                        matching: filter, sortedBy: .newestFirst, KeysetPageRequest(limit: 5))
                }
                try await fixture.expectError(.invalidArgument, nil, "going through") {
                    _ = try await metadata.stream(matching: filter, sortedBy: .newestFirst).collect()
                }
            }
        },
        ConformanceCheck("Pages go both ways in both orders, also among equal times") { fixture in
            let metadata = try fixture.activities()
            let now = fixture.time.now
            let items = (0..<7).map { ActivityMetadata(status: .failed, occurredAt: now + Double($0 / 3)) }
            try await metadata.insertManyIfAbsent(items.shuffled() + [ActivityMetadata(occurredAt: now + 1)])
            for order in ChronologicalOrder.allCases {
                let all = order == .oldestFirst ? items : items.reversed()
                let first = try await metadata.metadata(
                    matching: .status(.failed), sortedBy: order, KeysetPageRequest(limit: 3))
                try expectEqual(first.items, Array(all[0..<3]), "the first page")
                try expect(first.previous == nil, "nothing comes before the first page")
                let second = try await metadata.metadata(
                    matching: .status(.failed), sortedBy: order,
                    KeysetPageRequest(limit: 3, cursor: unwrap(first.next, "the cursor of the second page")))
                try expectEqual(second.items, Array(all[3..<6]), "the second page")
                let third = try await metadata.metadata(
                    matching: .status(.failed), sortedBy: order,
                    KeysetPageRequest(limit: 3, cursor: unwrap(second.next, "the cursor of the third page")))
                try expectEqual(third.items, Array(all[6...]), "the third page")
                try expect(third.next == nil, "no fourth page follows")
                let back = try await metadata.metadata(
                    matching: .status(.failed), sortedBy: order,
                    KeysetPageRequest(limit: 3, cursor: unwrap(third.previous, "the cursor back")))
                try expectEqual(back.items, second.items, "the second page from behind")
                let other: ChronologicalOrder = order == .oldestFirst ? .newestFirst : .oldestFirst
                try await fixture.expectError(.invalidArgument, nil, "a cursor of another order") {
                    _ = try await metadata.metadata(
                        matching: .all, sortedBy: other, KeysetPageRequest(limit: 3, cursor: first.next))
                }
            }
        },
        ConformanceCheck("A stream goes through more than one batch, may be left early, and starts anew") { fixture in
            let metadata = try fixture.activities()
            let now = fixture.time.now
            let items = (0..<1200).map { ActivityMetadata(occurredAt: now + Double($0) / 1000) }
            try await metadata.insertManyIfAbsent(items)
            let stream = metadata.stream(matching: .all, sortedBy: .newestFirst)
            var seen = 0
            for try await item in stream {
                try expectEqual(item.activity, items[1199 - seen].activity, "activity \(seen)")
                seen += 1
                if seen == 300 { break }
            }
            let all = try await stream.collect()
            try expectEqual(all.map(\.activity), items.reversed().map(\.activity), "all activities")
            try await fixture.expectError(.tooManyRows, nil, "collecting fewer than there are") {
                _ = try await stream.collect(limit: 1199)
            }
        },
    ]

    private static let reports: [ConformanceCheck<DocumentFixture>] = [
        ConformanceCheck("Reports count by day, rank durations and failures") { fixture in
            let metadata = try fixture.activities()
            try await ReportSamples.check { ended in
                try await metadata.insertManyIfAbsent(
                    ended.map { end in
                        ActivityMetadata(
                            status: end.status, occurredAt: end.at, startedAt: end.at - end.seconds,
                            finishedAt: end.at, failure: end.failure)
                    } + [ActivityMetadata(status: .running, occurredAt: ReportSamples.midnight)])
                return metadata
            }
        },
        ConformanceCheck("An activity that ended without saying when counts at the time it happened") { fixture in
            let metadata = try fixture.activities()
            let day = ReportSamples.midnight
            try await metadata.insert(ActivityMetadata(status: .succeeded, occurredAt: day + 5))
            try expectEqual(
                try await metadata.outcomesPerDay(in: day..<(day + 60)),
                [DailyOutcomes(day: day, counts: [.succeeded: 1])], "the outcomes")
            try expectEqual(
                try await metadata.latency(percentiles: [50], in: day..<(day + 60)),
                LatencyReport(count: 0, percentiles: [:]), "the latency of what took no known time")
        },
    ]

    private static let isolation: [ConformanceCheck<DocumentFixture>] = [
        ConformanceCheck("What belongs to one job of one workspace is seen and changed there alone") { fixture in
            let (workspace, job) = (WorkspaceID(), JobID())
            let own = try fixture.activities(workspace: workspace, job: job)
            let others = [
                try fixture.activities(workspace: workspace, job: JobID()),
                try fixture.activities(workspace: WorkspaceID(), job: job),
                // Swapped, so that a name made of both does not coincide.
                try fixture.activities(
                    workspace: WorkspaceID(rawValue: job.rawValue), job: JobID(rawValue: workspace.rawValue)),
            ]
            let item = ActivityMetadata(status: .failed, occurredAt: fixture.time.now)
            try await own.insert(item)
            for other in others {
                try expectEqual(try await other.metadata(of: item.activity), nil, "the metadata seen elsewhere")
                try expectEqual(try await other.count(matching: .all), 0, "the count elsewhere")
                try expectEqual(
                    try await other.stream(matching: .all, sortedBy: .newestFirst).collect(), [], "the list elsewhere")
                try expectEqual(try await other.delete(item.activity), false, "whether it is removed elsewhere")
                try expectEqual(
                    try await other.deleteAll(before: item.occurredAt + 100), 0, "how many are removed elsewhere")
                try await fixture.expectError(.notFound, nil, "changing it elsewhere") {
                    try await other.update(item.activity, with: ActivityMetadataUpdate(status: .succeeded))
                }
                // The same activity may be recorded by another job.
                try await other.insert(item)
            }
            try expectEqual(try await own.metadata(of: item.activity), item, "the metadata")
        }
    ]
}

extension DocumentFixture {
    /// Records activities that filters tell apart, a second after each other.
    fileprivate func recordSamples(
        in metadata: any ActivityMetadataRepository
    ) async throws -> [ActivityMetadata] {
        let (mail, web) = (try Label("mail"), try Label("web"))
        let now = time.now
        let items = [
            ActivityMetadata(
                kind: mail, status: .succeeded, occurredAt: now, payload: ["model": "m-1", "tokens": 812]),
            ActivityMetadata(
                kind: mail, status: .failed, occurredAt: now + 1,
                failure: try ExecutionFailure(code: Label("timeout")), payload: ["model": "m-2", "tokens": 812.0]),
            ActivityMetadata(
                kind: web, status: .running, occurredAt: now + 2, payload: ["model": "m-1", "tags": ["a", "b"]]),
            ActivityMetadata(
                status: .failed, occurredAt: now + 3, failure: try ExecutionFailure(code: Label("quota")),
                payload: ["cost": ["amount": 2, "currency": "EUR"], "model": ["ne": "x"]]),
            ActivityMetadata(
                status: .succeeded, occurredAt: now + 4, payload: ["steps": [["name": "one"], ["name": "two"]]]),
            ActivityMetadata(
                status: .cancelled, occurredAt: now + 5,
                payload: ["ok": true, "at": .date(now), "key": .bytes([1, 2])]),
        ]
        try await metadata.insertManyIfAbsent(items.shuffled())
        return items
    }
}
