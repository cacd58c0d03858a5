import Foundation
import PostgresEngine
import Testing

@Suite("Types on a server", .enabled(if: TypeTestServer.isExpected, "POSTGRES_URL is not set"))
struct TypeIntegrationTests {
    @Test("numbers arrive and come back, alone and in arrays")
    func numbers() async throws {
        try await [
            ServerCase(true, "bool", "true"), ServerCase(false, "bool", "false"),
            ServerCase(Int16.min, "int2", "-32768"), ServerCase(Int16.max, "int2", "32767"),
            ServerCase(Int32.min, "int4", "-2147483648"), ServerCase(Int32.max, "int4", "2147483647"),
            ServerCase(Int64.min, "int8", "-9223372036854775808"), ServerCase(Int.max, "int8", "9223372036854775807"),
            ServerCase(Int(7), "int4", "7"), ServerCase(UInt16.max, "int4", "65535"),
            ServerCase(UInt32.max, "int8", "4294967295"),
            ServerCase(UInt32.max, "oid", "4294967295"), ServerCase(UInt64(Int64.max), "int8", "9223372036854775807"),
            ServerCase(Int64(12), "numeric", "12"),
            ServerCase(Float(1.5), "float4", "1.5"), ServerCase(-Float.infinity, "float4", "-Infinity"),
            ServerCase(Float.leastNonzeroMagnitude, "float4", "1e-45"),
            ServerCase(-0.1, "float8", "-0.1"), ServerCase(Double.infinity, "float8", "Infinity"),
            ServerCase(Double.greatestFiniteMagnitude, "float8", "1.7976931348623157e+308"),
            ServerCase(PostgresNumeric("0"), "numeric", "0"), ServerCase(PostgresNumeric("-0.00"), "numeric", "0.00"),
            ServerCase(PostgresNumeric("12345678901234567890.000100"), "numeric", "12345678901234567890.000100"),
            ServerCase(PostgresNumeric("-0.00000000000000000000001"), "numeric", "-0.00000000000000000000001"),
            ServerCase(PostgresNumeric("100000000"), "numeric", "100000000"),
            ServerCase(PostgresNumeric("NaN"), "numeric", "NaN"),
            ServerCase(PostgresNumeric("Infinity"), "numeric", "Infinity"),
            ServerCase(PostgresNumeric("-Infinity"), "numeric", "-Infinity"),
            ServerCase(PostgresNumeric("9e131071"), "numeric", "9" + String(repeating: "0", count: 131_071)),
            ServerCase(PostgresNumeric("1e-16383"), "numeric", "0." + String(repeating: "0", count: 16_382) + "1"),
            ServerCase(Decimal(string: "-98765432109876543210.0125"), "numeric", "-98765432109876543210.0125"),
            ServerCase(PostgresOID(rawValue: .max), "oid", "4294967295"),
            ServerCase(PostgresLSN("16/B374D848"), "pg_lsn", "16/B374D848"),
            ServerCase(PostgresBits("1011001110"), "varbit", "1011001110"),
            ServerCase(PostgresBits("101"), "bit(3)", "101"),
            ServerCase(PostgresBits(""), "varbit", ""),
        ].check()
    }

    @Test("text and bytes arrive and come back, alone and in arrays")
    func text() async throws {
        try await [
            ServerCase("häß€😀 \"\\,{}'\n", "text", "häß€😀 \"\\,{}'\n"), ServerCase("", "text", ""),
            ServerCase("NULL", "varchar", "NULL"),
            ServerCase("name", "name", "name"), ServerCase("x", "\"char\"", "x"),
            ServerCase("<a>é</a>", "xml", "<a>é</a>"),
            ServerCase([0, 255, 16] as [UInt8], "bytea", "\\x00ff10"), ServerCase([] as [UInt8], "bytea", "\\x"),
            ServerCase(Data([222, 173]), "bytea", "\\xdead"),
            ServerCase(
                UUID(uuidString: "00112233-4455-6677-8899-AABBCCDDEEFF"), "uuid", "00112233-4455-6677-8899-aabbccddeeff"
            ),
            ServerCase(PostgresJSON(["a": [1, 2]]), "jsonb", #"{"a": [1, 2]}"#),
            ServerCase(PostgresJSON(nil as Int?), "jsonb", "null"),
            ServerCase(PostgresJSONText(rawValue: #"{"a":  1}"#), "json", #"{"a":  1}"#),
            ServerCase(PostgresJSONText(rawValue: #"{"a": "\"é"}"#), "jsonb", #"{"a": "\"é"}"#),
            ServerCase(PostgresInet("192.0.2.7/24"), "inet", "192.0.2.7/24"),
            ServerCase(PostgresInet("2001:db8::1/64"), "inet", "2001:db8::1/64"),
            ServerCase(PostgresInet("::ffff:1.2.3.4/96"), "inet", "::ffff:1.2.3.4/96"),
            ServerCase(PostgresCIDR("10.0.0.0/8"), "cidr", "10.0.0.0/8"),
            ServerCase(PostgresCIDR("::/0"), "cidr", "::/0"),
            ServerCase(PostgresMACAddress("08:00:2b:01:02:03"), "macaddr", "08:00:2b:01:02:03"),
            ServerCase(
                PostgresTSVector([
                    "fat": [.init(2, weight: .a), .init(11)], "it's": [.init(4, weight: .c)], "a\\b": [], "é": [],
                ]),
                "tsvector", #"'a\\b' 'fat':2A,11 'it''s':4C 'é'"#),
            ServerCase(PostgresTSVector(), "tsvector", ""),
        ].check()
    }

    @Test("dates and times arrive and come back, alone and in arrays")
    func dates() async throws {
        try await [
            ServerCase(PostgresDate(year: 2024, month: 2, day: 29), "date", "2024-02-29"),
            ServerCase(PostgresDate(year: -43, month: 3, day: 15), "date", "0044-03-15 BC"),
            ServerCase(PostgresDate(year: -4713, month: 11, day: 24), "date", "4714-11-24 BC"),
            ServerCase(PostgresDate(year: 5_874_897, month: 12, day: 31), "date", "5874897-12-31"),
            ServerCase(PostgresDate.infinity, "date", "infinity"),
            ServerCase(PostgresDate.negativeInfinity, "date", "-infinity"),
            ServerCase(PostgresTime(hour: 12, minute: 34, second: 56, microsecond: 780_000), "time", "12:34:56.78"),
            ServerCase(PostgresTime(hour: 24), "time", "24:00:00"),
            ServerCase(
                PostgresTime(hour: 12).flatMap { PostgresTimeTZ($0, offset: 19_800) }, "timetz", "12:00:00+05:30"),
            ServerCase(
                PostgresTime(hour: 0).flatMap { PostgresTimeTZ($0, offset: -57_599) }, "timetz", "00:00:00-15:59:59"),
            ServerCase(PostgresTimestamp(microsecondsSince2000: 1), "timestamp", "2000-01-01 00:00:00.000001"),
            ServerCase(PostgresTimestamp(microsecondsSince2000: -1), "timestamp", "1999-12-31 23:59:59.999999"),
            ServerCase(
                PostgresTimestamp(microsecondsSince2000: -211_813_488_000_000_000), "timestamp",
                "4714-11-24 00:00:00 BC"),
            ServerCase(
                PostgresTimestamp(microsecondsSince2000: 9_223_371_331_199_999_999), "timestamp",
                "294276-12-31 23:59:59.999999"),
            ServerCase(PostgresTimestamp.infinity, "timestamp", "infinity"),
            ServerCase(PostgresTimestamp.negativeInfinity, "timestamp", "-infinity"),
            ServerCase(PostgresTimestampTZ(microsecondsSince2000: 500_000), "timestamptz", "2000-01-01 00:00:00.5+00"),
            ServerCase(PostgresTimestampTZ.infinity, "timestamptz", "infinity"),
            ServerCase(Date(timeIntervalSince1970: 1_706_704_496.789), "timestamptz", "2024-01-31 12:34:56.789+00"),
            ServerCase(
                PostgresInterval(months: 14, days: -3, microseconds: 14_706_789_000), "interval",
                "1 year 2 mons -3 days +04:05:06.789"),
            ServerCase(PostgresInterval(), "interval", "00:00:00"),
            ServerCase(PostgresInterval(months: -13, days: 5), "interval", "-1 years -1 mons +5 days"),
            ServerCase(PostgresInterval(microseconds: .max), "interval", "2562047788:00:54.775807"),
        ].check()
    }

    @Test("ranges arrive and come back, alone and in arrays")
    func ranges() async throws {
        try await [
            ServerCase(PostgresRange(1..<5 as Range<Int32>), "int4range", "[1,5)"),
            ServerCase(PostgresRange<Int>.empty, "int8range", "empty"),
            ServerCase(PostgresRange<Int>.unbounded, "int8range", "(,)"),
            ServerCase(PostgresRange(..<Int64(9)), "int8range", "(,9)"),
            ServerCase(
                PostgresNumeric("1.50").flatMap { try? PostgresRange(lower: .exclusive($0), upper: .inclusive(2)) },
                "numrange", "(1.50,2]"),
            ServerCase(PostgresRange(Decimal(1)...), "numrange", "[1,)"),
            ServerCase(
                PostgresDate(year: 2024, month: 1, day: 1).map { PostgresRange($0...) }, "daterange", "[2024-01-01,)"),
            ServerCase(PostgresRange(...PostgresTimestamp.infinity), "tsrange", "(,infinity]"),
            ServerCase(
                PostgresRange(Date(timeIntervalSince1970: 0)..<Date(timeIntervalSince1970: 0.5)), "tstzrange",
                #"["1970-01-01 00:00:00+00","1970-01-01 00:00:00.5+00")"#),
            ServerCase(
                PostgresMultirange([PostgresRange(1..<3), PostgresRange(7...)]), "int8multirange", "{[1,3),[7,)}"),
            ServerCase(PostgresMultirange<Int32>(), "int4multirange", "{}"),
        ].check()
    }
}
