/// What all levels of a coder share: the options, and what is often asked of them.
final class CodingRoot: Sendable {
    let options: BSONCodingOptions
    /// Whether a date is BSON's date, which needs no look at the options' closures.
    let hasPlainDates: Bool
    let hasBinaryUUIDs: Bool
    let defersDates: Bool
    let defersData: Bool

    init(options: BSONCodingOptions) {
        self.options = options
        hasPlainDates = if case .date = options.dates { true } else { false }
        hasBinaryUUIDs = if case .binary = options.uuids { true } else { false }
        defersDates = if case .deferred = options.dates { true } else { false }
        defersData = if case .deferred = options.dataValues { true } else { false }
    }
}
