import Persistence
import PersistenceCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What every ``Persistence/IntegrationDataRepository`` must do.
public enum IntegrationDataRepositoryConformance {
    /// The checks.
    public static let checks: [ConformanceCheck<DocumentFixture>] =
        recording + lists + [UnwantedCallsConformance.integrations]

    private static let recording: [ConformanceCheck<DocumentFixture>] = [
        ConformanceCheck("An answer is kept byte by byte, with its payload") { fixture in
            let data = try fixture.integrations()
            let mail = try IntegrationProvider("mail.example")
            let id = try ExternalID("<20260301.1@mail.example>")
            let response = IntegrationResponse(
                provider: mail, externalID: id, raw: Array(0...255), mediaType: "application/octet-stream",
                payload: SamplePayload.everything, fetchedAt: fixture.time.now)
            try expectEqual(try await data.upsert(response), .inserted, "what became of it")
            let record = try unwrap(try await data.record(of: mail, id), "the record")
            try expectEqual(record.response, response, "the answer")
            try expectEqual(record.revision, 1, "the revision")
            try expectEqual(record.firstFetchedAt, fixture.time.now, "the first time")
            try expectEqual(try await data.record(of: mail, ExternalID("other")), nil, "no record")
            try expectEqual(
                try await data.record(of: IntegrationProvider("other"), id), nil, "another system's record")
        },
        ConformanceCheck("Recording again changes only what differs, and nothing older wins") { fixture in
            let data = try fixture.integrations()
            let now = fixture.time.now
            let first = try Self.response("1", "{\"a\": 1}", now)
            try expectEqual(try await data.upsert(first), .inserted, "the first time")
            try expectEqual(try await data.upsert(first), .unchanged, "the same again")
            let later = try Self.response("1", "{\"a\": 1}", now + 60)
            try expectEqual(try await data.upsert(later), .unchanged, "the same later")
            try expectEqual(try await data.upsert(first), .outdated, "the first again")
            var record = try unwrap(try await data.record(of: first.provider, first.externalID), "the record")
            try expectEqual(record.revision, 1, "the revision")
            try expectEqual(record.response.fetchedAt, now + 60, "the time of asking")
            try expectEqual(record.changedAt, now, "the time of the change")

            let other = try Self.response("1", "{\"a\": 2}", now + 120)
            try expectEqual(try await data.upsert(other), .updated, "another answer")
            let older = try Self.response("1", "{\"a\": 3}", now + 119)
            try expectEqual(try await data.upsert(older), .outdated, "an older answer")
            record = try unwrap(try await data.record(of: first.provider, first.externalID), "the record")
            try expectEqual(record.response, other, "the answer")
            try expectEqual(record.revision, 2, "the revision")
            try expectEqual(record.changedAt, now + 120, "the time of the change")
            try expectEqual(record.firstFetchedAt, now, "the first time")
            // White space differs in the raw answer alone.
            let spaced = try Self.response("1", "{\"a\":2}", now + 121)
            try expectEqual(try await data.upsert(spaced), .updated, "other bytes")
        },
        ConformanceCheck("Many are recorded at once, those about one thing in their order") { fixture in
            let data = try fixture.integrations()
            let now = fixture.time.now
            let responses = try (0..<300).map { try Self.response("\($0)", "{\"n\": \($0)}", now) }
            let again = try (0..<3).map { try Self.response("7", "{\"n\": \($0)}", now + 1 + Double($0)) }
            let outcomes = try await data.upsertMany(responses + again)
            try expectEqual(
                outcomes, Array(repeating: .inserted, count: 300) + Array(repeating: .updated, count: 3),
                "what became of them")
            let repeated = try await data.upsertMany(responses)
            try expectEqual(
                repeated.enumerated().filter { $0.element != .unchanged }.map(\.offset), [7],
                "which of them were not there unchanged")
            try expectEqual(repeated[7], .outdated, "what became of the old answer")
            try expectEqual(try await data.count(of: responses[0].provider), 300, "the count")
            let record = try await data.record(of: again[2].provider, again[2].externalID)
            try expectEqual(record?.response, again[2], "the latest answer")
            try expectEqual(record?.revision, 4, "its revision")
            try expectEqual(try await data.upsertMany([]), [], "what became of none")
            let many = Array(repeating: responses[0], count: Batch.maximumCount + 1)
            try await fixture.expectError(.tooLarge, nil, "recording too many") {
                try await data.upsertMany(many)
            }
        },
        ConformanceCheck("Of answers that arrive at once in any order, the latest is left") { fixture in
            let data = try fixture.integrations()
            let now = fixture.time.now
            let responses = try (0..<16).map { try Self.response("1", "{\"n\": \($0)}", now + Double($0)) }
            let outcomes = await concurrently(16) { index in
                try await data.upsert(responses[(index * 7) % 16])
            }
            var counts: [IntegrationUpsert: Int] = [:]
            for outcome in outcomes { counts[try outcome.get(), default: 0] += 1 }
            try expectEqual(counts[.inserted], 1, "how many were the first")
            let record = try unwrap(
                try await data.record(of: responses[0].provider, responses[0].externalID), "the record")
            try expectEqual(record.response, responses[15], "the answer")
            try expectEqual(record.revision, Int64(1 + (counts[.updated] ?? 0)), "the revision")
        },
        ConformanceCheck("What no store can keep is refused") { fixture in
            let data = try fixture.integrations()
            let mail = try IntegrationProvider("mail")
            let id = try ExternalID("1")
            let large = IntegrationResponse(
                provider: mail, externalID: id,
                raw: Array(repeating: 0x20, count: IntegrationResponse.maximumRawSize + 1))
            try await fixture.expectError(.tooLarge, nil, "a huge answer") { try await data.upsert(large) }
            try await fixture.expectError(.tooLarge, nil, "a huge answer among others") {
                try await data.upsertMany([large])
            }
            for invalid in [
                IntegrationResponse(provider: mail, externalID: id, raw: [], payload: ["$inc": 1]),
                IntegrationResponse(provider: mail, externalID: id, raw: [], mediaType: ""),
                IntegrationResponse(
                    provider: mail, externalID: id, raw: [], fetchedAt: Date(timeIntervalSince1970: .nan)),
            ] {
                try await fixture.expectError(.invalidData, nil, "an answer that cannot be kept") {
                    try await data.upsert(invalid)
                }
            }
            try expectEqual(try await data.count(of: mail), 0, "the count")
            let largest = IntegrationResponse(
                provider: mail, externalID: id, raw: Array(repeating: 7, count: IntegrationResponse.maximumRawSize),
                payload: ["x": .text(String(repeating: "x", count: Payload.maximumSize - 13))],
                fetchedAt: fixture.time.now)
            try await data.upsert(largest)
            let stored = try await data.record(of: mail, id)
            try expect(stored?.response == largest, "the largest answer comes back")
        },
    ]

    private static let lists: [ConformanceCheck<DocumentFixture>] = [
        ConformanceCheck("Identifiers are told apart and sorted by their bytes, page by page") { fixture in
            let data = try fixture.integrations()
            let now = fixture.time.now
            // Two spellings of é, upper and lower case, and texts that look like keys or operators.
            let ids = [
                "$gt", "/", "10", "2", "A", "a", "a/b", "a|b", "cafe\u{301}", "caf\u{e9}", "z", "\u{1F600}",
            ].sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            let provider = try IntegrationProvider("crm")
            try await data.upsertMany(try ids.shuffled().map { try Self.response($0, "{}", now, provider) })
            for other in ["crm2", "crm.x", "cr"] {
                try await data.upsert(try Self.response("a", "{}", now, IntegrationProvider(other)))
            }
            let streamed = try await data.stream(of: provider).collect()
            try expectEqual(streamed.map(\.response.externalID.text.utf8.count), ids.map(\.utf8.count), "the lengths")
            try expect(
                zip(streamed, ids).allSatisfy { $0.response.externalID.text.utf8.elementsEqual($1.utf8) },
                "the identifiers come in the order of their bytes")
            try expectEqual(try await data.count(of: provider), ids.count, "the count")

            var pages: [IntegrationRecord] = []
            var request = try KeysetPageRequest(limit: 5)
            var page = try await data.records(of: provider, request)
            pages += page.items
            while let next = page.next {
                request = try KeysetPageRequest(limit: 5, cursor: next)
                page = try await data.records(of: provider, request)
                pages += page.items
            }
            try expectEqual(pages, streamed, "all pages")
            let back = try await data.records(
                of: provider, KeysetPageRequest(limit: 5, cursor: unwrap(page.previous, "the cursor back")))
            try expectEqual(back.items, Array(streamed[5..<10]), "the page before the last")
        },
        ConformanceCheck("Answers are removed one by one, or all that are old, in one workspace") { fixture in
            let workspace = WorkspaceID()
            let data = try fixture.integrations(workspace: workspace)
            let other = try fixture.integrations()
            let now = fixture.time.now
            let (crm, mail) = (try IntegrationProvider("crm"), try IntegrationProvider("mail"))
            for repository in [data, other] {
                try await repository.upsertMany(
                    try (0..<4).map { try Self.response("\($0)", "{}", now + Double($0), crm) })
                try await repository.upsert(try Self.response("0", "{}", now, mail))
            }
            try expectEqual(try await data.delete(crm, ExternalID("3")), true, "whether one was removed")
            try expectEqual(try await data.delete(crm, ExternalID("3")), false, "whether it was removed again")
            try expectEqual(
                try await data.deleteAll(of: crm, fetchedBefore: now + 2), 2, "how many were removed")
            let rest = try await data.stream(of: crm).collect()
            try expectEqual(rest.map(\.response.externalID.text), ["2"], "what is left")
            try expectEqual(try await data.count(of: mail), 1, "the other system's count")
            try expectEqual(try await other.count(of: crm), 4, "the other workspace's count")
        },
    ]

    private static func response(
        _ id: String, _ json: String, _ fetchedAt: Date, _ provider: IntegrationProvider? = nil
    ) throws -> IntegrationResponse {
        try IntegrationResponse(
            provider: provider ?? IntegrationProvider("crm"), externalID: ExternalID(id), json: Array(json.utf8),
            fetchedAt: fetchedAt)
    }
}
