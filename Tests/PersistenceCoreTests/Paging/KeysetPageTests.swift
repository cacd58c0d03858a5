import Foundation
import PersistenceCore
import Testing

@Suite("Pages by place")
struct KeysetPageTests {
    private struct Row: Codable, Equatable {
        let group: Int
        let id: Int
    }

    /// A table sorted by group and identifier, read as a repository would read it.
    private struct Table {
        var rows: [Row]

        func page(_ request: KeysetPageRequest) throws(PersistenceError) -> KeysetPage<Row> {
            let place = try request.values(of: "rows", Int.self, Int.self)
            let sorted = rows.sorted { ($0.group, $0.id) < ($1.group, $1.id) }
            let found: [Row]
            switch request.direction {
            case .forward:
                found = sorted.filter { row in place.map { (row.group, row.id) > $0 } ?? true }
            case .backward:
                found = sorted.reversed().filter { row in place.map { (row.group, row.id) < $0 } ?? true }
            }
            return try KeysetPage(
                rows: Array(found.prefix(request.fetchLimit)),
                for: request,
                listing: "rows",
                total: rows.count,
                keys: { [$0.group, $0.id] }
            )
        }
    }

    private let table = Table(rows: (0..<10).map { Row(group: $0 / 4, id: $0) })

    @Test("forward and back again meets every item once, in the list's order")
    func walking() throws {
        var page = try table.page(KeysetPageRequest(limit: 3))
        #expect(page.previous == nil)
        #expect(page.total == 10)
        var forward = [page.items.map(\.id)]
        while let next = page.next {
            page = try table.page(KeysetPageRequest(limit: 3, cursor: next))
            forward.append(page.items.map(\.id))
        }
        #expect(forward == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9]])
        var backward: [[Int]] = []
        while let previous = page.previous {
            page = try table.page(KeysetPageRequest(limit: 3, cursor: previous))
            backward.append(page.items.map(\.id))
            #expect(page.hasNext)
        }
        #expect(backward == [[6, 7, 8], [3, 4, 5], [0, 1, 2]])
    }

    @Test("items that are inserted or removed elsewhere neither repeat nor hide any")
    func changes() throws {
        var table = table
        let first = try table.page(KeysetPageRequest(limit: 3))
        table.rows.removeAll { $0.id < 2 }
        table.rows.append(Row(group: 0, id: -1))
        let second = try table.page(KeysetPageRequest(limit: 3, cursor: first.next))
        #expect(second.items.map(\.id) == [3, 4, 5])
    }

    @Test("a page that fits exactly has no next")
    func exact() throws {
        let page = try table.page(KeysetPageRequest(limit: 10))
        #expect(page.items.count == 10)
        #expect(!page.hasNext && !page.hasPrevious)
    }

    @Test("an empty list, and an empty page behind a cursor")
    func empty() throws {
        let none = try Table(rows: []).page(KeysetPageRequest())
        #expect(none == KeysetPage(items: [], next: nil, previous: nil, total: 0))
        let cursor = try PageCursor(listing: "rows", keys: [99, 99])
        let behind = try table.page(KeysetPageRequest(cursor: cursor))
        #expect(behind.items.isEmpty && !behind.hasNext && !behind.hasPrevious)
    }

    @Test("a cursor of another list is refused by the list that reads it")
    func foreign() throws {
        let cursor = try PageCursor(listing: "others", keys: [1, 2])
        expectInvalid("the page token is of another list") {
            _ = try table.page(KeysetPageRequest(cursor: cursor))
        }
    }

    @Test("bad sizes are errors", arguments: [Int.min, -1, 0, 1001, Int.max])
    func sizes(size: Int) {
        expectInvalid("the page size must be from 1 to 1000") { _ = try KeysetPageRequest(limit: size) }
    }

    @Test("query strings are read, and empty parameters count as none")
    func parsing() throws {
        let cursor = try PageCursor(listing: "rows", keys: [1, 2])
        let request = try KeysetPageRequest.parse(limit: "7", cursor: cursor.token)
        #expect(request.limit == 7)
        #expect(request.fetchLimit == 8)
        #expect(request.cursor == cursor)
        #expect(try KeysetPageRequest.parse(limit: nil, cursor: "") == KeysetPageRequest())
        expectInvalid("the page size must be a whole number") {
            _ = try KeysetPageRequest.parse(limit: "many", cursor: nil)
        }
        expectInvalid("the page token is malformed") { _ = try KeysetPageRequest.parse(limit: nil, cursor: "?") }
    }

    @Test("keys that are too long for a token are an error, and never a page without a way on")
    func longKeys() throws {
        let request = try KeysetPageRequest(limit: 1)
        let error = #expect(throws: PersistenceError.self) {
            try KeysetPage(rows: [1, 2], for: request, listing: "l") { _ in [String(repeating: "x", count: 3000)] }
        }
        #expect(error?.code == .tooLarge)
    }

    @Test("a page is mapped and encoded, with its cursors as texts")
    func coding() throws {
        let page = try table.page(KeysetPageRequest(limit: 2)).map(\.id)
        let json = try JSONEncoder().encode(page)
        #expect(try JSONDecoder().decode(KeysetPage<Int>.self, from: json) == page)
        let object = try #require(try JSONSerialization.jsonObject(with: json) as? [String: Any])
        #expect(object["next"] as? String == page.next?.token)
        #expect(object["items"] as? [Int] == [0, 1])
    }
}
