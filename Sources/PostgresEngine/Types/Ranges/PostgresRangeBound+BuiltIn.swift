#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

extension Int32: PostgresRangeBound {
    /// `int4range`.
    public static var postgresRangeType: PostgresType { .int4Range }
    /// `int4multirange`.
    public static var postgresMultirangeType: PostgresType { .int4Multirange }
}

extension Int64: PostgresRangeBound {
    /// `int8range`.
    public static var postgresRangeType: PostgresType { .int8Range }
    /// `int8multirange`.
    public static var postgresMultirangeType: PostgresType { .int8Multirange }
}

extension Int: PostgresRangeBound {
    /// `int8range`.
    public static var postgresRangeType: PostgresType { .int8Range }
    /// `int8multirange`.
    public static var postgresMultirangeType: PostgresType { .int8Multirange }
}

extension PostgresNumeric: PostgresRangeBound {
    /// `numrange`.
    public static var postgresRangeType: PostgresType { .numRange }
    /// `nummultirange`.
    public static var postgresMultirangeType: PostgresType { .numMultirange }
}

extension Decimal: PostgresRangeBound {
    /// `numrange`.
    public static var postgresRangeType: PostgresType { .numRange }
    /// `nummultirange`.
    public static var postgresMultirangeType: PostgresType { .numMultirange }
}

extension PostgresTimestamp: PostgresRangeBound {
    /// `tsrange`.
    public static var postgresRangeType: PostgresType { .tsRange }
    /// `tsmultirange`.
    public static var postgresMultirangeType: PostgresType { .tsMultirange }
}

extension PostgresTimestampTZ: PostgresRangeBound {
    /// `tstzrange`.
    public static var postgresRangeType: PostgresType { .tstzRange }
    /// `tstzmultirange`.
    public static var postgresMultirangeType: PostgresType { .tstzMultirange }
}

extension Date: PostgresRangeBound {
    /// `tstzrange`.
    public static var postgresRangeType: PostgresType { .tstzRange }
    /// `tstzmultirange`.
    public static var postgresMultirangeType: PostgresType { .tstzMultirange }
}

extension PostgresDate: PostgresRangeBound {
    /// `daterange`.
    public static var postgresRangeType: PostgresType { .dateRange }
    /// `datemultirange`.
    public static var postgresMultirangeType: PostgresType { .dateMultirange }
}

// Ranges that databases define.
extension Double: PostgresRangeBound {}
extension String: PostgresRangeBound {}
extension PostgresTime: PostgresRangeBound {}
