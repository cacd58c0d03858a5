public import PersistenceCore

/// Where in a payload a value is: a field's name, or the names on the way to a field inside objects.
///
/// ```swift
/// let amount: PayloadPath = ["cost", "amount"]
/// ```
public struct PayloadPath: Hashable, Sendable, ExpressibleByStringLiteral, ExpressibleByArrayLiteral {
    /// The names, from the outermost.
    public let names: [String]

    /// Creates a path.
    ///
    /// - Parameter names: The names, from the outermost.
    public init(_ names: [String]) {
        self.names = names
    }

    /// The path to a field of the payload itself; the text is one name, whatever it contains.
    public init(stringLiteral value: String) {
        self.init([value])
    }

    /// The path to a field inside objects.
    public init(arrayLiteral elements: String...) {
        self.init(elements)
    }

    /// Refuses a path that a document store cannot follow, in every store alike.
    ///
    /// - Parameter operation: The name of the operation, for the error.
    /// - Throws: `PersistenceError` with the code `invalidArgument` when there is no name, or one that is empty, begins
    ///   with `$`, or contains a dot or U+0000: MongoDB would read these as another path or as an operator.
    public func check(operation: String? = nil) throws(PersistenceError) {
        let isSound = names.allSatisfy { name in
            !name.isEmpty && name.utf8.first != UInt8(ascii: "$") && !name.utf8.contains(UInt8(ascii: "."))
                && !name.utf8.contains(0)
        }
        guard (1...Payload.maximumDepth).contains(names.count), isSound else {
            throw PersistenceError(
                .invalidArgument, "the path of a payload has a name that cannot be looked for", operation: operation)
        }
    }
}

extension Payload {
    /// The value at a path; `nil` when there is none.
    ///
    /// - Parameter path: Where the value is.
    public subscript(path: PayloadPath) -> PayloadValue? {
        var value: PayloadValue? = .object(self)
        for name in path.names {
            value = value?[name]
        }
        return value
    }
}
