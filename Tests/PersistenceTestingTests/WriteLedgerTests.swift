import PersistenceCore
import PersistenceTesting
import Testing

@Suite("A ledger of writes")
struct WriteLedgerTests {
    private struct OwnError: Error {}

    private static func ledger() async -> WriteLedger<Int> {
        let ledger = WriteLedger<Int>()
        await ledger.write(1) {}
        await ledger.write(2) { throw PersistenceError(.uniqueViolation) }
        await ledger.write(3) { throw PersistenceError(.commitUnknown) }
        await ledger.write(4) { throw PersistenceError(.connection, retrySafety: .unknown) }
        await ledger.write(5) { throw PersistenceError(.connection, retrySafety: .safe) }
        await ledger.write(6) { throw OwnError() }
        return ledger
    }

    @Test("knows what callers were told")
    func outcomes() async {
        let ledger = await Self.ledger()
        #expect(ledger.count(.acknowledged) == 1)
        #expect(ledger.count(.failed) == 3)
        #expect(ledger.count(.unknown) == 2)
        #expect(ledger.codes == [.uniqueViolation: 1, .commitUnknown: 1, .connection: 2])
        #expect(await ledger.write(7) { throw OwnError() } is OwnError)
        ledger.clear()
        #expect(ledger.count(.failed) == 0)
        #expect(ledger.audit(of: [Int]()).isClean)
    }

    @Test(
        "is clean when callers were told the truth, whichever way unknown writes went",
        arguments: [[1], [1, 3], [4, 3, 1]])
    func clean(_ rows: [Int]) async {
        let audit = await Self.ledger().audit(of: rows)
        #expect(audit.isClean, "\(audit)")
        #expect(audit.unknownDone == rows.count - 1)
        #expect(audit.unknownUndone == 3 - rows.count)
    }

    @Test("finds what is lost, undead, repeated and strange")
    func violations() async {
        let audit = await Self.ledger().audit(of: [2, 3, 3, 6, 9])
        #expect(!audit.isClean)
        #expect(audit.lost == [1])
        #expect(audit.undead == [2, 6])
        #expect(audit.repeated == [3])
        #expect(audit.strange == [9])
        #expect(audit.description.contains("lost 1, undead 2, repeated 1, strange 1"))
    }

    @Test("takes writes that have not ended for unknown, and many at once")
    func concurrent() async {
        let ledger = WriteLedger<Int>()
        await ledger.write(-1) {
            #expect(ledger.count(.unknown) == 1)
            #expect(ledger.audit(of: [-1]).isClean)
        }
        await withDiscardingTaskGroup { group in
            for key in 0..<1000 { group.addTask { await ledger.write(key) {} } }
        }
        #expect(ledger.count(.acknowledged) == 1001)
        #expect(ledger.audit(of: 1..<1000).lost == [-1, 0])
    }
}

@Suite("What a process holds")
struct ProcessResourcesTests {
    @Test("is counted", .enabled(if: ProcessResources.isKnown))
    func counts() {
        let resources = ProcessResources.current
        #expect(resources.descriptors > 2)
        #expect(resources.threads > 0)
        #expect(resources.residentBytes > 1 << 20)
        #expect(ProcessResources.sockets(to: 1) == 0)
        #expect(ProcessResources.sockets(to: -1) == 0)
        #expect(ProcessResources.threads(named: "no such thread") == 0)
    }
}
