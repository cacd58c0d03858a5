import Testing

@testable import PostgresEngine

@Suite("The size of a stream's chunks")
struct ChunkSizeTests {
    @Test("begins small, grows in steps to the target, and shrinks at once")
    func adapts() {
        var size = ChunkSize()
        #expect(size.rows == ChunkSize.first)
        size.learn(rows: 32, bytes: 32 * 100)
        #expect(size.rows == 256)
        size.learn(rows: 256, bytes: 256 * 100)
        #expect(size.rows == 2048)
        size.learn(rows: 2048, bytes: 2048 * 100)
        #expect(size.rows == ChunkSize.target / 100)
        size.learn(rows: 10, bytes: 10 * ChunkSize.target * 3)
        #expect(size.rows == 1)
        size.learn(rows: 1, bytes: 64)
        #expect(size.rows == 8)
    }

    @Test("learns nothing from an empty chunk")
    func empty() {
        var size = ChunkSize()
        size.learn(rows: 0, bytes: 2048)
        #expect(size.rows == ChunkSize.first)
    }
}
