public import PersistenceCore

/// A type whose values are rows of binary COPY.
///
/// ```swift
/// struct Reading: PostgresCopyEncodable {
///     static let columns = ["sensor", "value", "note"]
///     var sensor: UUID
///     var value: Double
///     var note: String?
///
///     func encode(to writer: inout PostgresCopyWriter) throws(PersistenceError) {
///         try writer.append(sensor)
///         try writer.append(value)
///         try writer.append(note)
///     }
/// }
/// ```
public protocol PostgresCopyEncodable {
    /// The names of the columns, in the order in which ``encode(to:)`` appends them.
    static var columns: [String] { get }

    /// Appends one field for each column.
    ///
    /// - Parameter writer: Takes the fields.
    /// - Throws: ``PersistenceError`` with the code `encoding` when PostgreSQL's type cannot hold a value.
    func encode(to writer: inout PostgresCopyWriter) throws(PersistenceError)
}
