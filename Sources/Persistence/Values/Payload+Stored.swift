extension Payload {
    /// The payload with its dates to the millisecond, as document stores keep it.
    package var inMilliseconds: Payload {
        Payload(fields.mapValues(\.inMilliseconds))
    }

    /// The payload without some fields.
    package func removing(_ names: [String]) -> Payload {
        var fields = fields
        for name in names { fields[name] = nil }
        return Payload(fields)
    }
}

extension PayloadValue {
    fileprivate var inMilliseconds: PayloadValue {
        switch self {
        case .date(let date): .date(date.inMilliseconds)
        case .array(let elements): .array(elements.map(\.inMilliseconds))
        case .object(let payload): .object(payload.inMilliseconds)
        default: self
        }
    }
}
