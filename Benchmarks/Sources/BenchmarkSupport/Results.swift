import Foundation

/// The file that `--json` writes: a list of figures.
package enum Results {
    package struct Entry: Encodable {
        var name: String
        var value: Double
        var unit: String
        /// What `value` must be at least or at most; null where there is no target.
        var target: Double?
        /// `≥` or `≤`.
        var bound: String?
        var met: Bool?

        enum CodingKeys: CodingKey {
            case name, value, unit, target, bound, met
        }

        // Null is written out, so that every entry has the same members.
        package func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(name, forKey: .name)
            try container.encode(value, forKey: .value)
            try container.encode(unit, forKey: .unit)
            try container.encode(target, forKey: .target)
            try container.encode(bound, forKey: .bound)
            try container.encode(met, forKey: .met)
        }
    }

    package static func write(_ figures: [Figure], to file: String) throws {
        try write(figures.map(entry), to: file)
    }

    package static func entry(_ figure: Figure) -> Entry {
        Entry(
            name: figure.name, value: rounded(figure.value), unit: figure.unit, target: figure.target?.value,
            bound: figure.target?.bound.rawValue, met: figure.isMet)
    }

    /// Writes any value as JSON that reads well in a diff.
    package static func write(_ value: some Encodable, to file: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        var data = try encoder.encode(value)
        data.append(contentsOf: "\n".utf8)
        try data.write(to: URL(fileURLWithPath: file), options: .atomic)
    }

    /// Four significant digits: more would only pretend.
    package static func rounded(_ value: Double) -> Double {
        guard value != 0, value.isFinite else { return 0 }
        let scale = pow(10, 3 - floor(log10(abs(value))))
        return (value * scale).rounded() / scale
    }
}
