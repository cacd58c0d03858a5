public import PersistenceCore

/// Keys with text values or NULL, the type `hstore` of the extension of that name.
public struct PostgresHstore: Hashable, Sendable, ExpressibleByDictionaryLiteral {
    /// The values by key; an inner `nil` is NULL.
    public var values: [String: String?]

    /// Creates a value.
    ///
    /// - Parameter values: The values by key; an inner `nil` is NULL.
    public init(_ values: [String: String?] = [:]) {
        self.values = values
    }

    /// Creates a value of a literal; of a repeated key the last value counts.
    ///
    /// - Parameter elements: Keys and values.
    public init(dictionaryLiteral elements: (String, String?)...) {
        values = Dictionary(elements, uniquingKeysWith: { $1 })
    }
}

extension PostgresHstore: PostgresElement {
    /// Left to the server: the extension's types have no fixed identifier.
    public static var postgresType: PostgresType { .unspecified }

    /// Reads types of extensions; the bytes decide whether it is `hstore`.
    public static func canDecode(_ type: PostgresType) -> Bool { type.isUserDefined }

    /// Reads `hstore`.
    public static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> PostgresHstore {
        try value.read(as: PostgresHstore.self) { reader throws(PersistenceError) in
            let count = Int(try reader.read(Int32.self))
            // A pair takes eight bytes at least.
            guard count >= 0, count <= reader.remaining / 8 else {
                throw reader.malformed("the number of pairs is impossible")
            }
            var values: [String: String?] = [:]
            values.reserveCapacity(count)
            for _ in 0..<count {
                let key = try reader.readText(count: Int(try reader.read(Int32.self)))
                let length = Int(try reader.read(Int32.self))
                let text: String? = length == -1 ? nil : try reader.readText(count: length)
                guard values.updateValue(text, forKey: key) == nil else {
                    // Or spelled in two ways that are canonically equivalent, which are one key to Swift.
                    throw reader.malformed("two keys are equal for Swift's strings; cast it to text or json")
                }
            }
            return PostgresHstore(values)
        }
    }

    /// Appends the pairs.
    ///
    /// - Throws: ``PersistenceError`` with the code `encoding` when a key or value contains a NUL.
    public func encode(into writer: inout PostgresWriter) throws(PersistenceError) {
        guard let count = Int32(exactly: values.count) else { throw PersistenceError(.tooLarge) }
        writer.write(count)
        for (key, value) in values {
            try writer.writeField(key)
            try writer.writeField(value)
        }
    }
}
