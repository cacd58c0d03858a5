// The identifiers are those of `pg_type.dat` in PostgreSQL's sources; they are fixed for ever. Computed, so that naming a
// type costs no access to a lazily made global.
extension PostgresType {
    /// `bool`.
    @inlinable public static var bool: PostgresType { PostgresType(oid: 16) }
    /// An array of `bool`.
    @inlinable public static var boolArray: PostgresType { PostgresType(oid: 1000) }
    /// `bytea`.
    @inlinable public static var bytea: PostgresType { PostgresType(oid: 17) }
    /// An array of `bytea`.
    @inlinable public static var byteaArray: PostgresType { PostgresType(oid: 1001) }
    /// `"char"`, one byte; not `character`, which is ``bpchar``.
    @inlinable public static var char: PostgresType { PostgresType(oid: 18) }
    /// An array of `char`.
    @inlinable public static var charArray: PostgresType { PostgresType(oid: 1002) }
    /// `name`.
    @inlinable public static var name: PostgresType { PostgresType(oid: 19) }
    /// An array of `name`.
    @inlinable public static var nameArray: PostgresType { PostgresType(oid: 1003) }
    /// `int8`.
    @inlinable public static var int8: PostgresType { PostgresType(oid: 20) }
    /// An array of `int8`.
    @inlinable public static var int8Array: PostgresType { PostgresType(oid: 1016) }
    /// `int2`.
    @inlinable public static var int2: PostgresType { PostgresType(oid: 21) }
    /// An array of `int2`.
    @inlinable public static var int2Array: PostgresType { PostgresType(oid: 1005) }
    /// `int2vector`.
    @inlinable public static var int2Vector: PostgresType { PostgresType(oid: 22) }
    /// An array of `int2vector`.
    @inlinable public static var int2VectorArray: PostgresType { PostgresType(oid: 1006) }
    /// `int4`.
    @inlinable public static var int4: PostgresType { PostgresType(oid: 23) }
    /// An array of `int4`.
    @inlinable public static var int4Array: PostgresType { PostgresType(oid: 1007) }
    /// `regproc`.
    @inlinable public static var regProc: PostgresType { PostgresType(oid: 24) }
    /// An array of `regproc`.
    @inlinable public static var regProcArray: PostgresType { PostgresType(oid: 1008) }
    /// `text`.
    @inlinable public static var text: PostgresType { PostgresType(oid: 25) }
    /// An array of `text`.
    @inlinable public static var textArray: PostgresType { PostgresType(oid: 1009) }
    /// `oid`.
    @inlinable public static var oid: PostgresType { PostgresType(oid: 26) }
    /// An array of `oid`.
    @inlinable public static var oidArray: PostgresType { PostgresType(oid: 1028) }
    /// `tid`.
    @inlinable public static var tid: PostgresType { PostgresType(oid: 27) }
    /// An array of `tid`.
    @inlinable public static var tidArray: PostgresType { PostgresType(oid: 1010) }
    /// `xid`.
    @inlinable public static var xid: PostgresType { PostgresType(oid: 28) }
    /// An array of `xid`.
    @inlinable public static var xidArray: PostgresType { PostgresType(oid: 1011) }
    /// `cid`.
    @inlinable public static var cid: PostgresType { PostgresType(oid: 29) }
    /// An array of `cid`.
    @inlinable public static var cidArray: PostgresType { PostgresType(oid: 1012) }
    /// `oidvector`.
    @inlinable public static var oidVector: PostgresType { PostgresType(oid: 30) }
    /// An array of `oidvector`.
    @inlinable public static var oidVectorArray: PostgresType { PostgresType(oid: 1013) }
    /// `json`.
    @inlinable public static var json: PostgresType { PostgresType(oid: 114) }
    /// An array of `json`.
    @inlinable public static var jsonArray: PostgresType { PostgresType(oid: 199) }
    /// `xml`.
    @inlinable public static var xml: PostgresType { PostgresType(oid: 142) }
    /// An array of `xml`.
    @inlinable public static var xmlArray: PostgresType { PostgresType(oid: 143) }
    /// `pg_node_tree`.
    @inlinable public static var pgNodeTree: PostgresType { PostgresType(oid: 194) }
    /// `point`.
    @inlinable public static var point: PostgresType { PostgresType(oid: 600) }
    /// An array of `point`.
    @inlinable public static var pointArray: PostgresType { PostgresType(oid: 1017) }
    /// `lseg`.
    @inlinable public static var lseg: PostgresType { PostgresType(oid: 601) }
    /// An array of `lseg`.
    @inlinable public static var lsegArray: PostgresType { PostgresType(oid: 1018) }
    /// `path`.
    @inlinable public static var path: PostgresType { PostgresType(oid: 602) }
    /// An array of `path`.
    @inlinable public static var pathArray: PostgresType { PostgresType(oid: 1019) }
    /// `box`.
    @inlinable public static var box: PostgresType { PostgresType(oid: 603) }
    /// An array of `box`.
    @inlinable public static var boxArray: PostgresType { PostgresType(oid: 1020) }
    /// `polygon`.
    @inlinable public static var polygon: PostgresType { PostgresType(oid: 604) }
    /// An array of `polygon`.
    @inlinable public static var polygonArray: PostgresType { PostgresType(oid: 1027) }
    /// `line`.
    @inlinable public static var line: PostgresType { PostgresType(oid: 628) }
    /// An array of `line`.
    @inlinable public static var lineArray: PostgresType { PostgresType(oid: 629) }
    /// `cidr`.
    @inlinable public static var cidr: PostgresType { PostgresType(oid: 650) }
    /// An array of `cidr`.
    @inlinable public static var cidrArray: PostgresType { PostgresType(oid: 651) }
    /// `float4`.
    @inlinable public static var float4: PostgresType { PostgresType(oid: 700) }
    /// An array of `float4`.
    @inlinable public static var float4Array: PostgresType { PostgresType(oid: 1021) }
    /// `float8`.
    @inlinable public static var float8: PostgresType { PostgresType(oid: 701) }
    /// An array of `float8`.
    @inlinable public static var float8Array: PostgresType { PostgresType(oid: 1022) }
    /// `unknown`.
    @inlinable public static var unknown: PostgresType { PostgresType(oid: 705) }
    /// `circle`.
    @inlinable public static var circle: PostgresType { PostgresType(oid: 718) }
    /// An array of `circle`.
    @inlinable public static var circleArray: PostgresType { PostgresType(oid: 719) }
    /// `macaddr8`.
    @inlinable public static var macaddr8: PostgresType { PostgresType(oid: 774) }
    /// An array of `macaddr8`.
    @inlinable public static var macaddr8Array: PostgresType { PostgresType(oid: 775) }
    /// `money`.
    @inlinable public static var money: PostgresType { PostgresType(oid: 790) }
    /// An array of `money`.
    @inlinable public static var moneyArray: PostgresType { PostgresType(oid: 791) }
    /// `macaddr`.
    @inlinable public static var macaddr: PostgresType { PostgresType(oid: 829) }
    /// An array of `macaddr`.
    @inlinable public static var macaddrArray: PostgresType { PostgresType(oid: 1040) }
    /// `inet`.
    @inlinable public static var inet: PostgresType { PostgresType(oid: 869) }
    /// An array of `inet`.
    @inlinable public static var inetArray: PostgresType { PostgresType(oid: 1041) }
    /// `aclitem`.
    @inlinable public static var aclItem: PostgresType { PostgresType(oid: 1033) }
    /// An array of `aclitem`.
    @inlinable public static var aclItemArray: PostgresType { PostgresType(oid: 1034) }
    /// `bpchar`.
    @inlinable public static var bpchar: PostgresType { PostgresType(oid: 1042) }
    /// An array of `bpchar`.
    @inlinable public static var bpcharArray: PostgresType { PostgresType(oid: 1014) }
    /// `varchar`.
    @inlinable public static var varchar: PostgresType { PostgresType(oid: 1043) }
    /// An array of `varchar`.
    @inlinable public static var varcharArray: PostgresType { PostgresType(oid: 1015) }
    /// `date`.
    @inlinable public static var date: PostgresType { PostgresType(oid: 1082) }
    /// An array of `date`.
    @inlinable public static var dateArray: PostgresType { PostgresType(oid: 1182) }
    /// `time`.
    @inlinable public static var time: PostgresType { PostgresType(oid: 1083) }
    /// An array of `time`.
    @inlinable public static var timeArray: PostgresType { PostgresType(oid: 1183) }
    /// `timestamp`.
    @inlinable public static var timestamp: PostgresType { PostgresType(oid: 1114) }
    /// An array of `timestamp`.
    @inlinable public static var timestampArray: PostgresType { PostgresType(oid: 1115) }
    /// `timestamptz`.
    @inlinable public static var timestamptz: PostgresType { PostgresType(oid: 1184) }
    /// An array of `timestamptz`.
    @inlinable public static var timestamptzArray: PostgresType { PostgresType(oid: 1185) }
    /// `interval`.
    @inlinable public static var interval: PostgresType { PostgresType(oid: 1186) }
    /// An array of `interval`.
    @inlinable public static var intervalArray: PostgresType { PostgresType(oid: 1187) }
    /// `timetz`.
    @inlinable public static var timetz: PostgresType { PostgresType(oid: 1266) }
    /// An array of `timetz`.
    @inlinable public static var timetzArray: PostgresType { PostgresType(oid: 1270) }
    /// `bit`.
    @inlinable public static var bit: PostgresType { PostgresType(oid: 1560) }
    /// An array of `bit`.
    @inlinable public static var bitArray: PostgresType { PostgresType(oid: 1561) }
    /// `varbit`.
    @inlinable public static var varbit: PostgresType { PostgresType(oid: 1562) }
    /// An array of `varbit`.
    @inlinable public static var varbitArray: PostgresType { PostgresType(oid: 1563) }
    /// `numeric`.
    @inlinable public static var numeric: PostgresType { PostgresType(oid: 1700) }
    /// An array of `numeric`.
    @inlinable public static var numericArray: PostgresType { PostgresType(oid: 1231) }
    /// `refcursor`.
    @inlinable public static var refCursor: PostgresType { PostgresType(oid: 1790) }
    /// An array of `refcursor`.
    @inlinable public static var refCursorArray: PostgresType { PostgresType(oid: 2201) }
    /// `regprocedure`.
    @inlinable public static var regProcedure: PostgresType { PostgresType(oid: 2202) }
    /// An array of `regprocedure`.
    @inlinable public static var regProcedureArray: PostgresType { PostgresType(oid: 2207) }
    /// `regoper`.
    @inlinable public static var regOper: PostgresType { PostgresType(oid: 2203) }
    /// An array of `regoper`.
    @inlinable public static var regOperArray: PostgresType { PostgresType(oid: 2208) }
    /// `regoperator`.
    @inlinable public static var regOperator: PostgresType { PostgresType(oid: 2204) }
    /// An array of `regoperator`.
    @inlinable public static var regOperatorArray: PostgresType { PostgresType(oid: 2209) }
    /// `regclass`.
    @inlinable public static var regClass: PostgresType { PostgresType(oid: 2205) }
    /// An array of `regclass`.
    @inlinable public static var regClassArray: PostgresType { PostgresType(oid: 2210) }
    /// `regtype`.
    @inlinable public static var regType: PostgresType { PostgresType(oid: 2206) }
    /// An array of `regtype`.
    @inlinable public static var regTypeArray: PostgresType { PostgresType(oid: 2211) }
    /// `record`.
    @inlinable public static var record: PostgresType { PostgresType(oid: 2249) }
    /// An array of `record`.
    @inlinable public static var recordArray: PostgresType { PostgresType(oid: 2287) }
    /// `cstring`.
    @inlinable public static var cstring: PostgresType { PostgresType(oid: 2275) }
    /// An array of `cstring`.
    @inlinable public static var cstringArray: PostgresType { PostgresType(oid: 1263) }
    /// `anyarray`.
    @inlinable public static var anyArray: PostgresType { PostgresType(oid: 2277) }
    /// `void`.
    @inlinable public static var void: PostgresType { PostgresType(oid: 2278) }
    /// `uuid`.
    @inlinable public static var uuid: PostgresType { PostgresType(oid: 2950) }
    /// An array of `uuid`.
    @inlinable public static var uuidArray: PostgresType { PostgresType(oid: 2951) }
    /// `txid_snapshot`.
    @inlinable public static var txidSnapshot: PostgresType { PostgresType(oid: 2970) }
    /// An array of `txid_snapshot`.
    @inlinable public static var txidSnapshotArray: PostgresType { PostgresType(oid: 2949) }
    /// `pg_lsn`.
    @inlinable public static var pgLSN: PostgresType { PostgresType(oid: 3220) }
    /// An array of `pg_lsn`.
    @inlinable public static var pgLSNArray: PostgresType { PostgresType(oid: 3221) }
    /// `pg_ndistinct`.
    @inlinable public static var pgNDistinct: PostgresType { PostgresType(oid: 3361) }
    /// `pg_dependencies`.
    @inlinable public static var pgDependencies: PostgresType { PostgresType(oid: 3402) }
    /// `tsvector`.
    @inlinable public static var tsvector: PostgresType { PostgresType(oid: 3614) }
    /// An array of `tsvector`.
    @inlinable public static var tsvectorArray: PostgresType { PostgresType(oid: 3643) }
    /// `tsquery`.
    @inlinable public static var tsquery: PostgresType { PostgresType(oid: 3615) }
    /// An array of `tsquery`.
    @inlinable public static var tsqueryArray: PostgresType { PostgresType(oid: 3645) }
    /// `regconfig`.
    @inlinable public static var regConfig: PostgresType { PostgresType(oid: 3734) }
    /// An array of `regconfig`.
    @inlinable public static var regConfigArray: PostgresType { PostgresType(oid: 3735) }
    /// `regdictionary`.
    @inlinable public static var regDictionary: PostgresType { PostgresType(oid: 3769) }
    /// An array of `regdictionary`.
    @inlinable public static var regDictionaryArray: PostgresType { PostgresType(oid: 3770) }
    /// `jsonb`.
    @inlinable public static var jsonb: PostgresType { PostgresType(oid: 3802) }
    /// An array of `jsonb`.
    @inlinable public static var jsonbArray: PostgresType { PostgresType(oid: 3807) }
    /// `int4range`.
    @inlinable public static var int4Range: PostgresType { PostgresType(oid: 3904) }
    /// An array of `int4range`.
    @inlinable public static var int4RangeArray: PostgresType { PostgresType(oid: 3905) }
    /// `numrange`.
    @inlinable public static var numRange: PostgresType { PostgresType(oid: 3906) }
    /// An array of `numrange`.
    @inlinable public static var numRangeArray: PostgresType { PostgresType(oid: 3907) }
    /// `tsrange`.
    @inlinable public static var tsRange: PostgresType { PostgresType(oid: 3908) }
    /// An array of `tsrange`.
    @inlinable public static var tsRangeArray: PostgresType { PostgresType(oid: 3909) }
    /// `tstzrange`.
    @inlinable public static var tstzRange: PostgresType { PostgresType(oid: 3910) }
    /// An array of `tstzrange`.
    @inlinable public static var tstzRangeArray: PostgresType { PostgresType(oid: 3911) }
    /// `daterange`.
    @inlinable public static var dateRange: PostgresType { PostgresType(oid: 3912) }
    /// An array of `daterange`.
    @inlinable public static var dateRangeArray: PostgresType { PostgresType(oid: 3913) }
    /// `int8range`.
    @inlinable public static var int8Range: PostgresType { PostgresType(oid: 3926) }
    /// An array of `int8range`.
    @inlinable public static var int8RangeArray: PostgresType { PostgresType(oid: 3927) }
    /// `jsonpath`.
    @inlinable public static var jsonPath: PostgresType { PostgresType(oid: 4072) }
    /// An array of `jsonpath`.
    @inlinable public static var jsonPathArray: PostgresType { PostgresType(oid: 4073) }
    /// `regnamespace`.
    @inlinable public static var regNamespace: PostgresType { PostgresType(oid: 4089) }
    /// An array of `regnamespace`.
    @inlinable public static var regNamespaceArray: PostgresType { PostgresType(oid: 4090) }
    /// `regrole`.
    @inlinable public static var regRole: PostgresType { PostgresType(oid: 4096) }
    /// An array of `regrole`.
    @inlinable public static var regRoleArray: PostgresType { PostgresType(oid: 4097) }
    /// `regcollation`.
    @inlinable public static var regCollation: PostgresType { PostgresType(oid: 4191) }
    /// An array of `regcollation`.
    @inlinable public static var regCollationArray: PostgresType { PostgresType(oid: 4192) }
    /// `int4multirange`.
    @inlinable public static var int4Multirange: PostgresType { PostgresType(oid: 4451) }
    /// An array of `int4multirange`.
    @inlinable public static var int4MultirangeArray: PostgresType { PostgresType(oid: 6150) }
    /// `nummultirange`.
    @inlinable public static var numMultirange: PostgresType { PostgresType(oid: 4532) }
    /// An array of `nummultirange`.
    @inlinable public static var numMultirangeArray: PostgresType { PostgresType(oid: 6151) }
    /// `tsmultirange`.
    @inlinable public static var tsMultirange: PostgresType { PostgresType(oid: 4533) }
    /// An array of `tsmultirange`.
    @inlinable public static var tsMultirangeArray: PostgresType { PostgresType(oid: 6152) }
    /// `tstzmultirange`.
    @inlinable public static var tstzMultirange: PostgresType { PostgresType(oid: 4534) }
    /// An array of `tstzmultirange`.
    @inlinable public static var tstzMultirangeArray: PostgresType { PostgresType(oid: 6153) }
    /// `datemultirange`.
    @inlinable public static var dateMultirange: PostgresType { PostgresType(oid: 4535) }
    /// An array of `datemultirange`.
    @inlinable public static var dateMultirangeArray: PostgresType { PostgresType(oid: 6155) }
    /// `int8multirange`.
    @inlinable public static var int8Multirange: PostgresType { PostgresType(oid: 4536) }
    /// An array of `int8multirange`.
    @inlinable public static var int8MultirangeArray: PostgresType { PostgresType(oid: 6157) }
    /// `pg_mcv_list`.
    @inlinable public static var pgMCVList: PostgresType { PostgresType(oid: 5017) }
    /// `pg_snapshot`.
    @inlinable public static var pgSnapshot: PostgresType { PostgresType(oid: 5038) }
    /// An array of `pg_snapshot`.
    @inlinable public static var pgSnapshotArray: PostgresType { PostgresType(oid: 5039) }
    /// `xid8`.
    @inlinable public static var xid8: PostgresType { PostgresType(oid: 5069) }
    /// An array of `xid8`.
    @inlinable public static var xid8Array: PostgresType { PostgresType(oid: 271) }
}
