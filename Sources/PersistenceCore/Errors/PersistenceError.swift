/// The one error type that every public function of the library throws.
///
/// An error says what happened (``code``), where (``operation``), what the server called it (``serverCode``) and
/// whether the same work may be done again (``retrySafety``). It never carries row values, parameters or secrets in
/// ``description`` or ``debugDescription``, because tracers and loggers record those.
///
/// The value is one reference wide, so that functions with typed throws return it in a register.
public struct PersistenceError: Error, Sendable {
    private var storage: Storage

    /// Creates an error.
    ///
    /// - Parameters:
    ///   - code: What happened.
    ///   - summary: One sentence for a person, free of values and secrets. Without it the code's own sentence is used.
    ///   - operation: The name of the operation that failed: a query's name, or a step such as `connect`.
    ///   - retrySafety: Whether the same work may be done again.
    public init(
        _ code: Code,
        _ summary: String? = nil,
        operation: String? = nil,
        retrySafety: RetrySafety? = nil
    ) {
        self.storage = Storage(Fields(code: code, summary: summary, operation: operation))
        self.storage.fields.retrySafety = retrySafety ?? code.defaultRetrySafety
    }

    /// What happened.
    public var code: Code {
        get { storage.fields.code }
        set { update { $0.code = newValue } }
    }

    /// One sentence for a person, free of values and secrets.
    public var summary: String {
        get { storage.fields.summary ?? storage.fields.code.sentence }
        set { update { $0.summary = newValue } }
    }

    /// The name of the operation that failed: a query's name, or a step such as `connect`.
    public var operation: String? {
        get { storage.fields.operation }
        set { update { $0.operation = newValue } }
    }

    /// Whether the same work may be done again.
    public var retrySafety: RetrySafety {
        get { storage.fields.retrySafety }
        set { update { $0.retrySafety = newValue } }
    }

    /// The server's own code: a five-character SQLSTATE for PostgreSQL, a number for MongoDB.
    public var serverCode: String? {
        get { storage.fields.serverCode }
        set { update { $0.serverCode = newValue } }
    }

    /// The constraint or index that refused the change.
    public var constraint: String? {
        get { storage.fields.constraint }
        set { update { $0.constraint = newValue } }
    }

    /// Whether the constraint or index of that name refused the change.
    ///
    /// ```swift
    /// do {
    ///     try await users.create(user)
    /// } catch {
    ///     if error.violates("users_email_key") { throw SignUpError.addressTaken }
    ///     throw error
    /// }
    /// ```
    ///
    /// - Parameter name: The name, without the schema and exactly as the database has it.
    /// - Returns: Whether this error is its refusal; `false` when the error names no constraint.
    public func violates(_ name: String) -> Bool {
        constraint == name
    }

    /// The table or collection concerned.
    public var collection: String? {
        get { storage.fields.collection }
        set { update { $0.collection = newValue } }
    }

    /// The column or field concerned.
    public var column: String? {
        get { storage.fields.column }
        set { update { $0.column = newValue } }
    }

    /// Which wait ran out, for ``Code/timeout``.
    public var timeout: TimeoutKind? {
        get { storage.fields.timeout }
        set { update { $0.timeout = newValue } }
    }

    /// The server's message as it was sent.
    ///
    /// It can quote values (`invalid input syntax for type integer: "…"`), so it is part of no description. Show it to
    /// a developer, keep it out of logs.
    public var serverMessage: String? {
        get { storage.fields.serverMessage }
        set { update { $0.serverMessage = newValue } }
    }

    /// Where in the source an error was found: a file with line and column, or a position in a statement.
    public var location: String? {
        get { storage.fields.location }
        set { update { $0.location = newValue } }
    }

    /// The error that led to this one.
    public var underlying: (any Error)? {
        get { storage.fields.underlying }
        set { update { $0.underlying = newValue } }
    }

    /// A copy with changes made by `body`.
    ///
    /// - Parameter body: Changes the copy.
    /// - Returns: The changed copy.
    public consuming func with(_ body: (inout PersistenceError) -> Void) -> PersistenceError {
        body(&self)
        return self
    }

    private mutating func update(_ change: (inout Fields) -> Void) {
        if !isKnownUniquelyReferenced(&storage) {
            storage = Storage(storage.fields)
        }
        change(&storage.fields)
    }
}

extension PersistenceError {
    private struct Fields: Sendable {
        var code: Code
        var summary: String?
        var operation: String?
        var retrySafety = RetrySafety.unsafe
        var serverCode: String?
        var constraint: String?
        var collection: String?
        var column: String?
        var timeout: TimeoutKind?
        var serverMessage: String?
        var location: String?
        var underlying: (any Error)?

        init(code: Code, summary: String?, operation: String?) {
            self.code = code
            self.summary = summary
            self.operation = operation
        }
    }

    // @unchecked: `fields` is written only through `update`, which makes the storage unique first, so a storage that two
    // values share (and that two threads may therefore read) is never written.
    private final class Storage: @unchecked Sendable {
        var fields: Fields

        init(_ fields: Fields) {
            self.fields = fields
        }
    }
}

extension PersistenceError: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The code, the operation and the summary; no values, no secrets.
    public var description: String {
        var text = "\(code)"
        if let operation { text += " in \(operation)" }
        text += ": \(summary)"
        if let serverCode { text += " [\(serverCode)]" }
        return text
    }

    /// Every field but ``serverMessage``, which can quote values.
    public var debugDescription: String {
        var parts = ["code: \(code)", "summary: \(summary)", "retrySafety: \(retrySafety)"]
        if let operation { parts.append("operation: \(operation)") }
        if let serverCode { parts.append("serverCode: \(serverCode)") }
        if let constraint { parts.append("constraint: \(constraint)") }
        if let collection { parts.append("collection: \(collection)") }
        if let column { parts.append("column: \(column)") }
        if let timeout { parts.append("timeout: \(timeout)") }
        if let location { parts.append("location: \(location)") }
        if let underlying {
            // Only our own errors promise to quote no values.
            if let error = underlying as? PersistenceError {
                parts.append("underlying: \(error.debugDescription)")
            } else {
                parts.append("underlying: \(type(of: underlying))")
            }
        }
        return "PersistenceError(\(parts.joined(separator: ", ")))"
    }

    /// Hides the storage, which holds the server's message, from `dump` and from test failure output.
    public var customMirror: Mirror {
        Mirror(self, children: ["description": debugDescription])
    }
}
