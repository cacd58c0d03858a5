/// Something that takes bytes from outside, with the properties that must hold whatever they are.
///
/// Beyond not crashing, not reading outside of the input and not taking memory out of proportion to it (which the sanitizer
/// and libFuzzer watch), each body states what has to be true of the answer.
public enum FuzzTarget: String, CaseIterable, Sendable {
    /// Decoders of single values, of any type.
    case values
    /// Decoders of arrays.
    case arrays
    /// Decoders of ranges and multiranges.
    case ranges
    /// Decoders of composite values.
    case records
    /// Binary COPY data, however it is cut.
    case copy
    /// SQL scripts.
    case sql
    /// Connection strings.
    case connections
    /// Settings by key.
    case settings
    /// Names and texts that become part of SQL or of the server's command line.
    case names
    /// Page tokens that clients send back.
    case tokens
    /// The names of migration files.
    case files
    /// BSON documents.
    case documents
    /// MongoDB Extended JSON.
    case json
    /// Documents, read by types that code themselves.
    case readers
    /// Steps by which a document is changed.
    case changes
    /// Decimal numbers of documents.
    case decimals

    /// Checks one input.
    ///
    /// - Parameter input: The bytes, lent for the duration of the call.
    /// - Throws: ``Finding`` when a property does not hold.
    public func run(_ input: UnsafeRawBufferPointer) throws {
        switch self {
        case .values: try ValueCheck.run(ValueCheck.values, input)
        case .arrays: try ValueCheck.run(ValueCheck.arrays, input)
        case .ranges: try ValueCheck.run(ValueCheck.ranges, input)
        case .records: try ValueCheck.run(ValueCheck.records, input)
        case .copy: try CopyCheck.run(input)
        case .sql: try ScriptCheck.run(input)
        case .connections: try ConfigurationCheck.runConnectionString(input)
        case .settings: try ConfigurationCheck.runSettings(input)
        case .names: try NameCheck.run(input)
        case .tokens: try TokenCheck.run(input)
        case .files: try FileNameCheck.run(input)
        case .documents: try DocumentCheck.runDocument(input)
        case .json: try DocumentCheck.runExtendedJSON(input)
        case .readers: try ReaderCheck.run(input)
        case .changes: try ChangeCheck.run(input)
        case .decimals: try DecimalCheck.run(input)
        }
    }
}

/// A property that does not hold.
public struct Finding: Error, CustomStringConvertible {
    /// What is wrong.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}

func require(_ condition: Bool, _ message: @autoclosure () -> String) throws(Finding) {
    guard condition else { throw Finding(message()) }
}

extension UnsafeRawBufferPointer {
    /// The bytes as text, where they are not UTF-8 with replacement characters.
    var text: String { String(decoding: self, as: UTF8.self) }

    /// The bytes from an offset on; none when there are not so many.
    func from(_ offset: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: dropFirst(offset)) }
}
