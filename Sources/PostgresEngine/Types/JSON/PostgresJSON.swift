public import PersistenceCore

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// A Swift value kept as JSON in a `json` or `jsonb` column, through `Codable`.
///
/// A parameter is declared as `jsonb`, which the server also accepts for a `json` column. Foundation's `JSONEncoder` and
/// `JSONDecoder` are used as they come: a `Date` becomes a number of seconds since 2001, for one. For another
/// representation, make the text yourself and use ``PostgresJSONText``.
///
/// SQL's NULL is not JSON's `null`: a column that may be NULL is a `PostgresJSON<T>?`, and a `PostgresJSON<T?>` holds `null`.
public struct PostgresJSON<Value> {
    /// The value.
    public var value: Value

    /// Wraps a value.
    ///
    /// - Parameter value: The value.
    public init(_ value: Value) {
        self.value = value
    }
}

extension PostgresJSON: Equatable where Value: Equatable {}
extension PostgresJSON: Hashable where Value: Hashable {}
extension PostgresJSON: Sendable where Value: Sendable {}

/// The first byte of a binary `jsonb`.
private var jsonbVersion: UInt8 { 1 }

extension PostgresJSON: PostgresEncodable where Value: Encodable {
    /// `jsonb`.
    public static var postgresType: PostgresType { .jsonb }

    /// Appends the version and the text.
    ///
    /// - Throws: ``PersistenceError`` with the code `encoding` when the value cannot be encoded as JSON.
    public func encode(into writer: inout PostgresWriter) throws(PersistenceError) {
        do {
            let data = try JSONEncoder().encode(value)
            writer.write(jsonbVersion)
            data.withUnsafeBytes { writer.write(bytes: $0) }
        } catch {
            // The encoder's error quotes the value; its type is all that may be shown.
            throw PersistenceError(.encoding, "a \(Value.self) cannot be encoded as JSON").with {
                $0.underlying = error
            }
        }
    }
}

extension PostgresJSON: PostgresDecodable where Value: Decodable {
    /// Reads `json` and `jsonb`.
    public static func canDecode(_ type: PostgresType) -> Bool { type == .jsonb || type == .json }

    /// Reads `json` or `jsonb`, also as text.
    ///
    /// - Throws: ``PersistenceError`` with the code `decoding` when the document does not match the Swift type.
    public static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> PostgresJSON {
        let text = try value.jsonText(as: Self.self)
        do {
            return PostgresJSON(try JSONDecoder().decode(Value.self, from: value.withUnsafeBytes { Data($0[text]) }))
        } catch {
            throw PersistenceError(.decoding, "the \(value.type.name) document cannot be decoded as \(Value.self)")
                .with { $0.underlying = error }
        }
    }
}

extension PostgresJSON: PostgresArrayElement, PostgresElement where Value: Codable {}

/// The text of a JSON document, unparsed.
///
/// A parameter is sent as text whose type the server infers, so it suits `json` and `jsonb` columns alike. In binary COPY and
/// inside records it stands for `json`, and ``PostgresJSON`` for `jsonb`.
public struct PostgresJSONText: Hashable, Sendable, RawRepresentable, CustomStringConvertible {
    /// The document.
    public var rawValue: String

    /// Wraps a document.
    ///
    /// - Parameter rawValue: The document; the server refuses what is no JSON.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// The document.
    public var description: String { rawValue }
}

extension PostgresJSONText: PostgresElement {
    /// Left to the server: `json` or `jsonb`.
    public static var postgresType: PostgresType { .unspecified }

    /// Text.
    public static var postgresFormat: PostgresFormat { .text }

    /// `json`.
    public static var postgresBinaryType: PostgresType { .json }

    /// Left to the server: `json[]` or `jsonb[]`.
    public static var postgresArrayType: PostgresType { .unspecified }

    /// Reads `json` and `jsonb`.
    public static func canDecode(_ type: PostgresType) -> Bool { type == .jsonb || type == .json }

    /// Reads `json` as it was stored, or `jsonb` as the server writes it.
    public static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> PostgresJSONText {
        PostgresJSONText(rawValue: try value.text(in: try value.jsonText(as: Self.self)))
    }
}

extension PostgresValue {
    /// Where the document is: after the version in binary `jsonb`, else everywhere.
    borrowing func jsonText<T: PostgresDecodable>(as swiftType: T.Type) throws(PersistenceError) -> Range<Int> {
        guard T.canDecode(type) else { throw unreadable(as: swiftType) }
        guard format == .binary, type == .jsonb else { return 0..<count }
        guard count > 0, load(UInt8.self) == jsonbVersion else { throw malformed("its version is unknown") }
        return 1..<count
    }
}
