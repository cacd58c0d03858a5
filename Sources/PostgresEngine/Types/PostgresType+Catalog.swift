extension PostgresType {
    /// The first identifier that `pg_type` gives to types that are not part of PostgreSQL: enums, composites, domains and
    /// types of extensions (`FirstNormalObjectId` in PostgreSQL's sources).
    @inlinable static var firstUserDefined: UInt32 { 16384 }

    /// Whether the type was defined in the database, by a user or an extension: its identifier says nothing.
    @inlinable
    public var isUserDefined: Bool { oid >= Self.firstUserDefined }

    /// The type's name in `pg_type`, or its identifier when it is not built in.
    public var name: String {
        if oid == 0 { return "unspecified" }
        if let name = Self.builtInName(oid) { return name }
        if let element = elementType, let name = Self.builtInName(element.oid) { return "\(name)[]" }
        return isUserDefined ? "user-defined type \(oid)" : "type \(oid)"
    }

    /// The type of arrays whose elements have this type, for built-in types.
    public var arrayType: PostgresType? {
        switch oid {
        case 16: PostgresType(oid: 1000)
        case 17: PostgresType(oid: 1001)
        case 18: PostgresType(oid: 1002)
        case 19: PostgresType(oid: 1003)
        case 20: PostgresType(oid: 1016)
        case 21: PostgresType(oid: 1005)
        case 22: PostgresType(oid: 1006)
        case 23: PostgresType(oid: 1007)
        case 24: PostgresType(oid: 1008)
        case 25: PostgresType(oid: 1009)
        case 26: PostgresType(oid: 1028)
        case 27: PostgresType(oid: 1010)
        case 28: PostgresType(oid: 1011)
        case 29: PostgresType(oid: 1012)
        case 30: PostgresType(oid: 1013)
        case 114: PostgresType(oid: 199)
        case 142: PostgresType(oid: 143)
        case 600: PostgresType(oid: 1017)
        case 601: PostgresType(oid: 1018)
        case 602: PostgresType(oid: 1019)
        case 603: PostgresType(oid: 1020)
        case 604: PostgresType(oid: 1027)
        case 628: PostgresType(oid: 629)
        case 650: PostgresType(oid: 651)
        case 700: PostgresType(oid: 1021)
        case 701: PostgresType(oid: 1022)
        case 718: PostgresType(oid: 719)
        case 774: PostgresType(oid: 775)
        case 790: PostgresType(oid: 791)
        case 829: PostgresType(oid: 1040)
        case 869: PostgresType(oid: 1041)
        case 1033: PostgresType(oid: 1034)
        case 1042: PostgresType(oid: 1014)
        case 1043: PostgresType(oid: 1015)
        case 1082: PostgresType(oid: 1182)
        case 1083: PostgresType(oid: 1183)
        case 1114: PostgresType(oid: 1115)
        case 1184: PostgresType(oid: 1185)
        case 1186: PostgresType(oid: 1187)
        case 1266: PostgresType(oid: 1270)
        case 1560: PostgresType(oid: 1561)
        case 1562: PostgresType(oid: 1563)
        case 1700: PostgresType(oid: 1231)
        case 1790: PostgresType(oid: 2201)
        case 2202: PostgresType(oid: 2207)
        case 2203: PostgresType(oid: 2208)
        case 2204: PostgresType(oid: 2209)
        case 2205: PostgresType(oid: 2210)
        case 2206: PostgresType(oid: 2211)
        case 2249: PostgresType(oid: 2287)
        case 2275: PostgresType(oid: 1263)
        case 2950: PostgresType(oid: 2951)
        case 2970: PostgresType(oid: 2949)
        case 3220: PostgresType(oid: 3221)
        case 3614: PostgresType(oid: 3643)
        case 3615: PostgresType(oid: 3645)
        case 3734: PostgresType(oid: 3735)
        case 3769: PostgresType(oid: 3770)
        case 3802: PostgresType(oid: 3807)
        case 3904: PostgresType(oid: 3905)
        case 3906: PostgresType(oid: 3907)
        case 3908: PostgresType(oid: 3909)
        case 3910: PostgresType(oid: 3911)
        case 3912: PostgresType(oid: 3913)
        case 3926: PostgresType(oid: 3927)
        case 4072: PostgresType(oid: 4073)
        case 4089: PostgresType(oid: 4090)
        case 4096: PostgresType(oid: 4097)
        case 4191: PostgresType(oid: 4192)
        case 4451: PostgresType(oid: 6150)
        case 4532: PostgresType(oid: 6151)
        case 4533: PostgresType(oid: 6152)
        case 4534: PostgresType(oid: 6153)
        case 4535: PostgresType(oid: 6155)
        case 4536: PostgresType(oid: 6157)
        case 5038: PostgresType(oid: 5039)
        case 5069: PostgresType(oid: 271)
        default: nil
        }
    }

    /// The type of an array's elements, for built-in array types.
    public var elementType: PostgresType? {
        switch oid {
        case 22: .int2
        case 30: .oid
        case 1000: PostgresType(oid: 16)
        case 1001: PostgresType(oid: 17)
        case 1002: PostgresType(oid: 18)
        case 1003: PostgresType(oid: 19)
        case 1016: PostgresType(oid: 20)
        case 1005: PostgresType(oid: 21)
        case 1006: PostgresType(oid: 22)
        case 1007: PostgresType(oid: 23)
        case 1008: PostgresType(oid: 24)
        case 1009: PostgresType(oid: 25)
        case 1028: PostgresType(oid: 26)
        case 1010: PostgresType(oid: 27)
        case 1011: PostgresType(oid: 28)
        case 1012: PostgresType(oid: 29)
        case 1013: PostgresType(oid: 30)
        case 199: PostgresType(oid: 114)
        case 143: PostgresType(oid: 142)
        case 1017: PostgresType(oid: 600)
        case 1018: PostgresType(oid: 601)
        case 1019: PostgresType(oid: 602)
        case 1020: PostgresType(oid: 603)
        case 1027: PostgresType(oid: 604)
        case 629: PostgresType(oid: 628)
        case 651: PostgresType(oid: 650)
        case 1021: PostgresType(oid: 700)
        case 1022: PostgresType(oid: 701)
        case 719: PostgresType(oid: 718)
        case 775: PostgresType(oid: 774)
        case 791: PostgresType(oid: 790)
        case 1040: PostgresType(oid: 829)
        case 1041: PostgresType(oid: 869)
        case 1034: PostgresType(oid: 1033)
        case 1014: PostgresType(oid: 1042)
        case 1015: PostgresType(oid: 1043)
        case 1182: PostgresType(oid: 1082)
        case 1183: PostgresType(oid: 1083)
        case 1115: PostgresType(oid: 1114)
        case 1185: PostgresType(oid: 1184)
        case 1187: PostgresType(oid: 1186)
        case 1270: PostgresType(oid: 1266)
        case 1561: PostgresType(oid: 1560)
        case 1563: PostgresType(oid: 1562)
        case 1231: PostgresType(oid: 1700)
        case 2201: PostgresType(oid: 1790)
        case 2207: PostgresType(oid: 2202)
        case 2208: PostgresType(oid: 2203)
        case 2209: PostgresType(oid: 2204)
        case 2210: PostgresType(oid: 2205)
        case 2211: PostgresType(oid: 2206)
        case 2287: PostgresType(oid: 2249)
        case 1263: PostgresType(oid: 2275)
        case 2951: PostgresType(oid: 2950)
        case 2949: PostgresType(oid: 2970)
        case 3221: PostgresType(oid: 3220)
        case 3643: PostgresType(oid: 3614)
        case 3645: PostgresType(oid: 3615)
        case 3735: PostgresType(oid: 3734)
        case 3770: PostgresType(oid: 3769)
        case 3807: PostgresType(oid: 3802)
        case 3905: PostgresType(oid: 3904)
        case 3907: PostgresType(oid: 3906)
        case 3909: PostgresType(oid: 3908)
        case 3911: PostgresType(oid: 3910)
        case 3913: PostgresType(oid: 3912)
        case 3927: PostgresType(oid: 3926)
        case 4073: PostgresType(oid: 4072)
        case 4090: PostgresType(oid: 4089)
        case 4097: PostgresType(oid: 4096)
        case 4192: PostgresType(oid: 4191)
        case 6150: PostgresType(oid: 4451)
        case 6151: PostgresType(oid: 4532)
        case 6152: PostgresType(oid: 4533)
        case 6153: PostgresType(oid: 4534)
        case 6155: PostgresType(oid: 4535)
        case 6157: PostgresType(oid: 4536)
        case 5039: PostgresType(oid: 5038)
        case 271: PostgresType(oid: 5069)
        default: nil
        }
    }

    /// The type of a range's bounds, for built-in range and multirange types.
    public var boundType: PostgresType? {
        switch oid {
        case 3904, 4451: .int4
        case 3926, 4536: .int8
        case 3906, 4532: .numeric
        case 3908, 4533: .timestamp
        case 3910, 4534: .timestamptz
        case 3912, 4535: .date
        default: nil
        }
    }

    /// The type of ranges that a multirange consists of, for built-in multirange types.
    public var rangeType: PostgresType? {
        switch oid {
        case 4451: .int4Range
        case 4536: .int8Range
        case 4532: .numRange
        case 4533: .tsRange
        case 4534: .tstzRange
        case 4535: .dateRange
        default: nil
        }
    }

    private static func builtInName(_ oid: UInt32) -> String? {
        switch oid {
        case 16: "bool"
        case 17: "bytea"
        case 18: "\"char\""
        case 19: "name"
        case 20: "int8"
        case 21: "int2"
        case 22: "int2vector"
        case 23: "int4"
        case 24: "regproc"
        case 25: "text"
        case 26: "oid"
        case 27: "tid"
        case 28: "xid"
        case 29: "cid"
        case 30: "oidvector"
        case 114: "json"
        case 142: "xml"
        case 194: "pg_node_tree"
        case 600: "point"
        case 601: "lseg"
        case 602: "path"
        case 603: "box"
        case 604: "polygon"
        case 628: "line"
        case 650: "cidr"
        case 700: "float4"
        case 701: "float8"
        case 705: "unknown"
        case 718: "circle"
        case 774: "macaddr8"
        case 790: "money"
        case 829: "macaddr"
        case 869: "inet"
        case 1033: "aclitem"
        case 1042: "bpchar"
        case 1043: "varchar"
        case 1082: "date"
        case 1083: "time"
        case 1114: "timestamp"
        case 1184: "timestamptz"
        case 1186: "interval"
        case 1266: "timetz"
        case 1560: "bit"
        case 1562: "varbit"
        case 1700: "numeric"
        case 1790: "refcursor"
        case 2202: "regprocedure"
        case 2203: "regoper"
        case 2204: "regoperator"
        case 2205: "regclass"
        case 2206: "regtype"
        case 2249: "record"
        case 2275: "cstring"
        case 2277: "anyarray"
        case 2278: "void"
        case 2950: "uuid"
        case 2970: "txid_snapshot"
        case 3220: "pg_lsn"
        case 3361: "pg_ndistinct"
        case 3402: "pg_dependencies"
        case 3614: "tsvector"
        case 3615: "tsquery"
        case 3734: "regconfig"
        case 3769: "regdictionary"
        case 3802: "jsonb"
        case 3904: "int4range"
        case 3906: "numrange"
        case 3908: "tsrange"
        case 3910: "tstzrange"
        case 3912: "daterange"
        case 3926: "int8range"
        case 4072: "jsonpath"
        case 4089: "regnamespace"
        case 4096: "regrole"
        case 4191: "regcollation"
        case 4451: "int4multirange"
        case 4532: "nummultirange"
        case 4533: "tsmultirange"
        case 4534: "tstzmultirange"
        case 4535: "datemultirange"
        case 4536: "int8multirange"
        case 5017: "pg_mcv_list"
        case 5038: "pg_snapshot"
        case 5069: "xid8"
        default: nil
        }
    }
}

extension PostgresType: CustomStringConvertible {
    /// The type's name in `pg_type`, or its identifier when it is not built in.
    public var description: String { name }
}
