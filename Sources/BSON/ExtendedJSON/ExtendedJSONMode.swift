/// The two forms of MongoDB Extended JSON, version 2 (MongoDB specifications, "extended-json").
@nonexhaustive
public enum ExtendedJSONMode: Sendable, Hashable {
    /// Keeps every type: numbers are `{"$numberInt": "1"}`, dates `{"$date": {"$numberLong": "…"}}`.
    case canonical
    /// Reads well: numbers are numbers, and dates from 1970 to 9999 are texts. Reading it back can change the type of a
    /// number.
    case relaxed
}
