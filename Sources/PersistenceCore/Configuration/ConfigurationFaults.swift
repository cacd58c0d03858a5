/// Gathers what is wrong with a configuration, so that one error names all of it.
///
/// ```swift
/// var faults = ConfigurationFaults(scope: "postgres")
/// let host = faults.string(forKey: "host", from: config)
/// let port = faults.int(forKey: "port", from: config, in: 1...65535) ?? 5432
/// faults.require(host != nil, key: "host", "is missing")
/// try faults.throwIfAny()
/// ```
///
/// A fault is a key and a reason, and never a value: values can be secrets in the wrong place.
public struct ConfigurationFaults: Sendable {
    /// One thing that is wrong.
    public struct Fault: Hashable, Sendable, CustomStringConvertible {
        /// The full key, such as `postgres.port`.
        public let key: String
        /// What is wrong, to be read after the key: `is missing`.
        public let reason: String

        /// The key and the reason.
        public var description: String { "\(key) \(reason)" }
    }

    /// What was found so far.
    public private(set) var faults: [Fault] = []
    private let scope: String?

    /// Creates a collector without faults.
    ///
    /// - Parameter scope: What the keys are relative to, such as `postgres`.
    public init(scope: String? = nil) {
        self.scope = scope.nonEmpty
    }

    /// Whether nothing is wrong so far.
    public var isEmpty: Bool { faults.isEmpty }

    /// Notes a fault; one that is known already is not noted again.
    ///
    /// - Parameters:
    ///   - key: The key, relative to the scope.
    ///   - reason: What is wrong, to be read after the key, free of the value.
    public mutating func add(key: String, _ reason: String) {
        let fault = Fault(key: scope.map { "\($0).\(key)" } ?? key, reason: reason)
        if !faults.contains(fault) {
            faults.append(fault)
        }
    }

    /// Notes a fault unless a condition holds.
    ///
    /// - Parameters:
    ///   - condition: What must be true.
    ///   - key: The key, relative to the scope.
    ///   - reason: What is wrong otherwise.
    public mutating func require(_ condition: Bool, key: String, _ reason: String) {
        if !condition {
            add(key: key, reason)
        }
    }

    /// Takes over the faults of a part of the configuration.
    ///
    /// - Parameter other: The part's faults, which keep their keys.
    public mutating func merge(_ other: ConfigurationFaults) {
        for fault in other.faults where !faults.contains(fault) {
            faults.append(fault)
        }
    }

    /// Throws one error for all faults, if there are any.
    ///
    /// - Throws: `configuration`, with every key and reason in its summary.
    public func throwIfAny() throws(PersistenceError) {
        guard !faults.isEmpty else { return }
        let list = faults.map(\.description).joined(separator: "; ")
        let count = faults.count == 1 ? "1 fault" : "\(faults.count) faults"
        throw PersistenceError(.configuration, "the configuration has \(count): \(list)")
    }
}
