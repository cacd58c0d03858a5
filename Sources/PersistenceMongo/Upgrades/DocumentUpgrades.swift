public import BSON
public import PersistenceCore

/// How documents of older shapes become documents of the newest.
///
/// Every document has a version in its field `v`. A document is upgraded in memory when it is read, step by step, and
/// written in the newest shape when it is written next; ``MongoDocumentStore/upgradeAll(workspace:job:)`` rewrites all of
/// them at once. Filters and reports look at stored fields, so run that after a step that renames or moves what they look
/// at.
///
/// ```swift
/// let upgrades = DocumentUpgrades().adding(to: .activityMetadata) { document in
///     // From version 1 to 2: the payload of every activity tells its currency.
///     document["payload"] = …
/// }
/// ```
public struct DocumentUpgrades: Sendable {
    /// The kinds of documents, each with versions of its own.
    @nonexhaustive
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// Metadata of activities.
        case activityMetadata
        /// Executions of jobs.
        case jobExecution
        /// Events of executions.
        case jobEvent
        /// Answers of systems outside.
        case integrationData
    }

    /// Takes a document from one version to the next.
    ///
    /// It sees the whole document as it is stored, must leave `_id`, `kind` and `rev` alone, and may run more than once
    /// on one document.
    public typealias Step = @Sendable (inout Document) throws -> Void

    private var steps: [Kind: [Step]] = [:]

    /// No steps: every document has version 1.
    public init() {}

    /// The same steps and one more, from the newest version of a kind to the next.
    ///
    /// Steps are never taken away or put in another order: their number is the version.
    ///
    /// - Parameters:
    ///   - kind: The kind of documents.
    ///   - step: Takes a document to the next version.
    /// - Returns: The steps.
    public func adding(to kind: Kind, _ step: @escaping Step) -> DocumentUpgrades {
        var copy = self
        copy.steps[kind, default: []].append(step)
        return copy
    }

    /// The newest version of a kind, from 1.
    ///
    /// - Parameter kind: The kind of documents.
    /// - Returns: One more than there are steps.
    public func version(of kind: Kind) -> Int {
        (steps[kind]?.count ?? 0) + 1
    }

    /// A document in the newest shape.
    ///
    /// - Parameters:
    ///   - document: The document as it is stored; without a version it counts as one of version 1.
    ///   - kind: The kind of the document.
    /// - Returns: The document with the newest version.
    /// - Throws: `PersistenceError` with the code `decoding` when the document has a version that is not known yet, when a
    ///   step fails, or when one changes `_id`, `kind` or `rev`.
    public func upgraded(_ document: Document, _ kind: Kind) throws(PersistenceError) -> Document {
        let newest = version(of: kind)
        let version = document["v"] == nil ? 1 : document["v"]?.int ?? 0
        guard version != newest else { return document }
        guard (1..<newest).contains(version) else {
            throw PersistenceError(
                .decoding,
                "the document has a version that this program does not know; \(newest) is the newest it knows"
            ).with { $0.column = "v" }
        }
        var upgraded = document
        for step in (steps[kind] ?? [])[(version - 1)...] {
            do {
                try step(&upgraded)
            } catch {
                throw PersistenceError(.decoding, "the document could not be upgraded from an older version")
                    .with { $0.underlying = error }
            }
        }
        // Written back, the document would not be found again, or take another's place.
        for key in ["_id", "kind", "rev"] where upgraded[key] != document[key] {
            throw PersistenceError(.decoding, "an upgrade of the document changes a field that it must leave alone")
                .with { $0.column = key }
        }
        upgraded["v"] = .int64(Int64(newest))
        return upgraded
    }
}

/// What a batch upgrade has done.
public struct DocumentUpgradeReport: Hashable, Sendable {
    /// How many documents were rewritten.
    public var upgraded = 0

    /// How many could not be upgraded, and stayed as they were.
    public var failed = 0

    /// The keys of the first of those, at most a hundred.
    public var failedKeys: [String] = []

    /// Creates an empty report.
    public init() {}
}
