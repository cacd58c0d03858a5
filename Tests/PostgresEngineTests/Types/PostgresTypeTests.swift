import Testing

@testable import PostgresEngine

@Suite("The catalog of types")
struct PostgresTypeTests {
    @Test("elements and arrays belong to each other")
    func arrays() {
        var pairs = 0
        for oid in 1..<PostgresType.firstUserDefined {
            let type = PostgresType(oid: oid)
            guard let array = type.arrayType else { continue }
            pairs += 1
            #expect(array.elementType == type)
            #expect(array.name == "\(type.name)[]")
            #expect(array.arrayType == nil)
        }
        #expect(pairs > 60)
        #expect(PostgresType.int2Vector.elementType == .int2)
        #expect(PostgresType.oidVector.elementType == .oid)
    }

    @Test("names are PostgreSQL's")
    func names() {
        #expect(PostgresType.timestamptz.name == "timestamptz")
        #expect(PostgresType.char.description == #""char""#)
        #expect(PostgresType.pgLSNArray.name == "pg_lsn[]")
        #expect(PostgresType(oid: 70_000).name == "user-defined type 70000")
        #expect(PostgresType(oid: 9999).name == "type 9999")
        #expect(PostgresType.unspecified.name == "unspecified")
        #expect(PostgresType(oid: 16_384).isUserDefined && !PostgresType(oid: 16_383).isUserDefined)
    }

    @Test("ranges know their bounds")
    func ranges() {
        for type in [.int4Multirange, .int8Multirange, .numMultirange, .tsMultirange, .tstzMultirange, .dateMultirange]
            as [PostgresType]
        {
            #expect(type.boundType != nil)
            #expect(type.rangeType?.boundType == type.boundType)
            #expect(type.rangeType?.rangeType == nil)
        }
        #expect(PostgresType.int4.boundType == nil)
    }
}
