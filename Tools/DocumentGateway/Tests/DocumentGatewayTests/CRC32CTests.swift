import DocumentGateway
import Testing

@Suite("CRC-32C")
struct CRC32CTests {
    @Test("The check value of the polynomial comes out")
    func checkValue() {
        #expect(CRC32C.checksum(of: Array("123456789".utf8)) == 0xE306_9283)
        #expect(CRC32C.checksum(of: []) == 0)
    }
}
