public import Configuration

// The optional getters of a reader answer nil for a value of the wrong type too, so that a misspelt number would fall
// back to a default in silence. These tell the two apart.
extension ConfigurationFaults {
    /// Reads a text.
    ///
    /// - Parameters:
    ///   - key: The key, relative to the reader.
    ///   - reader: The configuration.
    ///   - isSecret: Whether the text is hidden from reports of accesses.
    /// - Returns: The text, or nil when there is none; an empty text is a text.
    public mutating func string(forKey key: String, from reader: ConfigReader, isSecret: Bool = false) -> String? {
        read(key, "is not a text") { try reader.requiredString(forKey: ConfigKey(key), isSecret: isSecret) }
    }

    /// Reads a secret.
    ///
    /// - Parameters:
    ///   - key: The key, relative to the reader.
    ///   - reader: The configuration.
    /// - Returns: The secret, or nil when there is none.
    public mutating func secret(forKey key: String, from reader: ConfigReader) -> Secret? {
        string(forKey: key, from: reader, isSecret: true).map(Secret.init)
    }

    /// Reads a whole number, noting a fault when it is none or out of range.
    ///
    /// - Parameters:
    ///   - key: The key, relative to the reader.
    ///   - reader: The configuration.
    ///   - range: The numbers that are accepted.
    /// - Returns: The number, or nil when there is none or a fault was noted.
    public mutating func int(
        forKey key: String,
        from reader: ConfigReader,
        in range: ClosedRange<Int> = .min ... .max
    ) -> Int? {
        let number = read(key, "is not a whole number") { try reader.requiredInt(forKey: ConfigKey(key)) }
        guard let number else { return nil }
        guard range.contains(number) else {
            add(key: key, "is not from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return number
    }

    /// Reads a truth value, noting a fault when it is none.
    ///
    /// - Parameters:
    ///   - key: The key, relative to the reader.
    ///   - reader: The configuration.
    /// - Returns: The value, or nil when there is none or a fault was noted.
    public mutating func bool(forKey key: String, from reader: ConfigReader) -> Bool? {
        read(key, "is neither true nor false") { try reader.requiredBool(forKey: ConfigKey(key)) }
    }

    /// Reads one of a few words, noting a fault that lists them when it is none of them.
    ///
    /// - Parameters:
    ///   - key: The key, relative to the reader.
    ///   - reader: The configuration.
    ///   - type: The words.
    /// - Returns: The word, or nil when there is none or a fault was noted.
    public mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        forKey key: String,
        from reader: ConfigReader,
        as type: Choice.Type = Choice.self
    ) -> Choice? {
        guard let word = string(forKey: key, from: reader) else { return nil }
        guard let choice = Choice(rawValue: word) else {
            add(key: key, "is not one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
            return nil
        }
        return choice
    }

    /// Reads a duration: a number with its unit, `us`, `ms`, `s`, `m`, `h` or `d`, such as `250ms` or `1.5s`; a number
    /// alone counts in seconds.
    ///
    /// - Parameters:
    ///   - key: The key, relative to the reader.
    ///   - reader: The configuration.
    ///   - range: The durations that are accepted.
    /// - Returns: The duration, or nil when there is none or a fault was noted.
    public mutating func duration(
        forKey key: String,
        from reader: ConfigReader,
        in range: ClosedRange<Duration> = .zero ... .seconds(366 * 86_400)
    ) -> Duration? {
        let reason = "is not a duration such as 250ms, 5s, 2m or 1h"
        let config = ConfigKey(key)
        // A provider with types of its own may hold a bare number.
        let text = read(key, reason) { () throws -> String in
            do {
                return try reader.requiredString(forKey: config)
            } catch {
                if Self.isMissing(error) { throw error }
                return String(try reader.requiredDouble(forKey: config))
            }
        }
        guard let text else { return nil }
        guard let duration = Duration(configurationText: text) else {
            add(key: key, reason)
            return nil
        }
        guard range.contains(duration) else {
            add(key: key, "is not from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return duration
    }

    private mutating func read<Value>(_ key: String, _ reason: String, _ body: () throws -> Value) -> Value? {
        do {
            return try body()
        } catch {
            if !Self.isMissing(error) {
                add(key: key, reason)
            }
            return nil
        }
    }

    /// Whether a reader's error says that there is no value.
    ///
    /// The error's type is not public and has no code, so its case is found by name; a test holds this together.
    private static func isMissing(_ error: any Error) -> Bool {
        Mirror(reflecting: error).children.first?.label == "missingRequiredConfigValue"
    }
}

extension Duration {
    init?(configurationText text: String) {
        let units: [(String, Double)] = [
            ("us", 1e-6), ("ms", 1e-3), ("s", 1), ("m", 60), ("h", 3600), ("d", 86_400),
        ]
        let unit = units.first { text.hasSuffix($0.0) }
        let number = text.dropLast(unit?.0.count ?? 0)
        // `Double` would take "nan", "inf" and "0x1p4" too.
        guard !number.isEmpty, number.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2E }),
            let value = Double(number)
        else { return nil }
        let seconds = value * (unit?.1 ?? 1)
        guard seconds < 1e12 else { return nil }
        self = .microseconds(Int64((seconds * 1e6).rounded()))
    }
}
