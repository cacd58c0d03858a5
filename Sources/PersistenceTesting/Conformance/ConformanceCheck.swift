/// One thing that every implementation of a repository must do, with a name that says what.
///
/// Checks know no test framework: one that fails throws a ``ConformanceFailure``, and one that passes returns. With Swift
/// Testing, a suite is one function:
///
/// ```swift
/// @Test("The in-memory users conform", arguments: UserRepositoryConformance.checks)
/// func users(_ check: ConformanceCheck<RepositoryFixture>) async throws {
///     try await check.run(RepositoryFixture(InMemoryDatabase()))
/// }
/// ```
public struct ConformanceCheck<Fixture>: Sendable, CustomStringConvertible {
    /// What the implementation must do, as a sentence.
    public let name: String

    private let body: @Sendable (Fixture) async throws -> Void

    init(_ name: String, _ body: @escaping @Sendable (Fixture) async throws -> Void) {
        self.name = name
        self.body = body
    }

    /// Runs the check.
    ///
    /// - Parameter fixture: The implementation, without any rows.
    /// - Throws: ``ConformanceFailure`` when the implementation does something else, and what the implementation throws
    ///   where it must not.
    public func run(_ fixture: Fixture) async throws {
        do {
            try await body(fixture)
        } catch let failure as ConformanceFailure {
            throw failure.in(name)
        }
    }

    /// The name.
    public var description: String { name }
}

/// What an implementation did other than it must.
public struct ConformanceFailure: Error, CustomStringConvertible {
    /// The check's name.
    public private(set) var check: String?

    /// What was expected and what happened.
    public let reason: String

    /// Where in the suite's source.
    public let location: String

    init(_ reason: String, fileID: String, line: Int) {
        self.reason = reason
        self.location = "\(fileID):\(line)"
    }

    func `in`(_ check: String) -> ConformanceFailure {
        var failure = self
        failure.check = check
        return failure
    }

    /// The check, the reason and the place.
    public var description: String {
        "\(check.map { "“\($0)”: " } ?? "")\(reason) (\(location))"
    }
}
