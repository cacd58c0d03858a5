import Foundation
import PersistenceCore
import Testing

@Suite("Pages by position")
struct OffsetPageTests {
    @Test("without wishes the request is for the first 50 items")
    func standard() throws {
        let request = try OffsetPageRequest()
        #expect(request.offset == 0)
        #expect(request.limit == 50)
    }

    @Test("page sizes from 1 to 1000 are accepted", arguments: [1, 50, 1000])
    func sizes(size: Int) throws {
        #expect(try OffsetPageRequest(limit: size).limit == size)
        #expect(try OffsetPageRequest(page: 1, size: size).limit == size)
    }

    @Test("other page sizes are errors, and not cut", arguments: [Int.min, -1, 0, 1001, Int.max])
    func badSizes(size: Int) {
        expectInvalid("the page size must be from 1 to 1000") { _ = try OffsetPageRequest(limit: size) }
        expectInvalid("the page size must be from 1 to 1000") { _ = try OffsetPageRequest(page: 2, size: size) }
    }

    @Test("offsets that are negative or would overflow are errors", arguments: [Int.min, -1, Int.max, Int.max - 49])
    func badOffsets(offset: Int) {
        expectInvalid("the page offset must not be negative or beyond all lists") {
            _ = try OffsetPageRequest(offset: offset)
        }
    }

    @Test("page numbers count from 1 and cannot overflow")
    func numbers() throws {
        #expect(try OffsetPageRequest(page: 3, size: 20).offset == 40)
        for number in [Int.min, -1, 0] {
            expectInvalid("the page number must be at least 1") { _ = try OffsetPageRequest(page: number) }
        }
        for number in [Int.max, Int.max / 50 + 2] {
            expectInvalid("the page offset must not be negative or beyond all lists") {
                _ = try OffsetPageRequest(page: number)
            }
        }
    }

    @Test("query strings are read, and empty parameters count as none")
    func parsing() throws {
        #expect(try OffsetPageRequest.parse(offset: "40", limit: "20") == OffsetPageRequest(offset: 40, limit: 20))
        #expect(try OffsetPageRequest.parse(offset: nil, limit: "") == OffsetPageRequest())
        for text in ["x", " 1", "1.0", "1e2", "0x10", "٣", "99999999999999999999", String(repeating: "1", count: 9999)]
        {
            expectInvalid("the page offset must be a whole number") {
                _ = try OffsetPageRequest.parse(offset: text, limit: nil)
            }
            expectInvalid("the page size must be a whole number") {
                _ = try OffsetPageRequest.parse(offset: nil, limit: text)
            }
        }
    }

    @Test("a service sets its own limits, which must make sense")
    func limits() throws {
        let limits = try PageLimits(standard: 10, maximum: 20)
        #expect(try OffsetPageRequest(within: limits).limit == 10)
        expectInvalid("the page size must be from 1 to 20") { _ = try OffsetPageRequest(limit: 21, within: limits) }
        for (standard, maximum) in [(0, 10), (11, 10), (-1, 10), (10, 0), (10, 100_001), (1, .max)] {
            #expect(throws: PersistenceError.self) { try PageLimits(standard: standard, maximum: maximum) }
        }
    }

    @Test("a page knows its neighbours")
    func neighbours() throws {
        let request = try OffsetPageRequest(offset: 20, limit: 10)
        let middle = Page(items: Array(20..<30), total: 35, for: request)
        #expect(middle.next == (try OffsetPageRequest(offset: 30, limit: 10)))
        #expect(middle.previous == (try OffsetPageRequest(offset: 10, limit: 10)))
        #expect(middle.number == 3)
        #expect(middle.pageCount == 4)
        let last = Page(items: Array(30..<35), total: 35, for: try #require(middle.next))
        #expect(!last.hasNext)
        #expect(last.hasPrevious)
        let first = Page(items: Array(0..<10), total: 10, for: try OffsetPageRequest(limit: 10))
        #expect(first.next == nil)
        #expect(first.previous == nil)
        #expect(first.pageCount == 1)
    }

    @Test("an empty list has no pages")
    func empty() throws {
        let page = Page<Int>(items: [], total: 0, for: try OffsetPageRequest())
        #expect(page.pageCount == 0)
        #expect(page.next == nil && page.previous == nil)
    }

    @Test("beyond the end there is a way back to the last items")
    func beyond() throws {
        let page = Page<Int>(items: [], total: 35, for: try OffsetPageRequest(offset: 1000, limit: 10))
        #expect(page.next == nil)
        #expect(page.previous == (try OffsetPageRequest(offset: 25, limit: 10)))
        let far = Page<Int>(items: [], total: .max, for: try OffsetPageRequest(offset: .max - 50, limit: 50))
        #expect(far.next == nil)
        #expect(far.pageCount == Int.max / 50 + 1)
    }

    @Test("a total that contradicts what is seen is corrected, and surplus items are left out")
    func contradictions() throws {
        let request = try OffsetPageRequest(offset: 10, limit: 2)
        #expect(Page(items: [1, 2], total: 5, for: request).total == 12)
        #expect(Page<Int>(items: [], total: -5, for: request).total == 0)
        #expect(Page(items: [1, 2, 3], total: 20, for: request).items == [1, 2])
    }

    @Test("a page is mapped and encoded")
    func mapping() throws {
        let page = Page(items: [1, 2], total: 2, for: try OffsetPageRequest()).map { "\($0)" }
        #expect(page.items == ["1", "2"])
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let json = try String(decoding: encoder.encode(page), as: UTF8.self)
        #expect(json == #"{"items":["1","2"],"limit":50,"offset":0,"total":2}"#)
        struct Own: Error {}
        #expect(throws: Own.self) { try page.map { _ throws(Own) -> Int in throw Own() } }
    }
}

func expectInvalid(
    _ summary: String,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws -> Void
) {
    let error = #expect(throws: PersistenceError.self, sourceLocation: sourceLocation) { try body() }
    #expect(error?.code == .invalidArgument, sourceLocation: sourceLocation)
    #expect(error?.summary == summary, sourceLocation: sourceLocation)
}
