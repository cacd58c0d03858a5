internal import Synchronization

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// Makes UUIDs of version 7 that grow strictly, also within one millisecond and when the clock steps back.
///
/// The layout is that of RFC 9562, section 5.7: 48 bits of Unix time in milliseconds, then 74 random bits around the
/// version and the variant. Within a millisecond the random bits are taken as one number that grows by a random step
/// (section 6.2, method 2), so keys stay in order of creation and cannot be guessed from their neighbours. Keys that
/// arrive in order keep a B-tree's inserts on its last page.
///
/// When the clock steps back, the generator stays at the latest time that it has used until the clock has caught up.
public final class UUIDVersion7Generator: Sendable {
    /// The generator that `UUID.version7()` uses.
    ///
    /// One for the process, because only one that all share can promise an order. Like the system's source of
    /// randomness it holds nothing that would have to be opened, configured or closed.
    public static let process = UUIDVersion7Generator()

    private struct State {
        /// Milliseconds since 1970, 48 bits; `nil` before the first value.
        var milliseconds: UInt64?
        /// The 12 bits beside the version.
        var high: UInt64 = 0
        /// The 62 bits beside the variant.
        var low: UInt64 = 0
    }

    private let state = Mutex(State())
    private let now: @Sendable () -> Date
    private let random: @Sendable () -> UInt64

    private static let maximumTime: UInt64 = (1 << 48) - 1
    private static let maximumHigh: UInt64 = (1 << 12) - 1
    private static let maximumLow: UInt64 = (1 << 62) - 1

    /// Creates a generator.
    ///
    /// - Parameters:
    ///   - now: Tells the time. Times before 1970 count as 1970, those beyond the year 10889 as the latest that fits.
    ///   - random: Makes 64 random bits; anything but a cryptographically secure source makes keys predictable.
    public init(
        now: @escaping @Sendable () -> Date = { Date() },
        random: @escaping @Sendable () -> UInt64 = { UInt64.random(in: .min ... .max) }
    ) {
        self.now = now
        self.random = random
    }

    /// Makes the next UUID, greater than every one this generator made before.
    ///
    /// - Returns: A UUID of version 7.
    public func next() -> UUID {
        let seconds = now().timeIntervalSince1970
        let milliseconds = UInt64(min(max((seconds * 1000).rounded(.down), 0), Double(Self.maximumTime)))
        let first = random()
        let second = random()
        return state.withLock { state in
            if let latest = state.milliseconds, milliseconds <= latest {
                Self.advance(&state, from: latest, by: second & 0xFFFF_FFFF)
            } else {
                state.milliseconds = milliseconds
                // The top bit starts as zero, so that a millisecond has room for at least 2^73 steps.
                state.high = first & (Self.maximumHigh >> 1)
                state.low = second & Self.maximumLow
            }
            return Self.uuid(milliseconds: state.milliseconds ?? 0, high: state.high, low: state.low)
        }
    }

    private static func advance(_ state: inout State, from latest: UInt64, by step: UInt64) {
        state.low += step + 1
        guard state.low > maximumLow else { return }
        state.low &= maximumLow
        state.high += 1
        guard state.high > maximumHigh else { return }
        state.high = 0
        // Running ahead of the clock keeps the order (RFC 9562, section 6.2, "counter rollover handling").
        state.milliseconds = min(latest + 1, maximumTime)
    }

    private static func uuid(milliseconds: UInt64, high: UInt64, low: UInt64) -> UUID {
        let first = milliseconds << 16 | 0x7000 | high
        let second = 0b10 << 62 | low
        func byte(_ word: UInt64, _ index: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: word >> (56 - 8 * index)) }
        return UUID(
            uuid: (
                byte(first, 0), byte(first, 1), byte(first, 2), byte(first, 3),
                byte(first, 4), byte(first, 5), byte(first, 6), byte(first, 7),
                byte(second, 0), byte(second, 1), byte(second, 2), byte(second, 3),
                byte(second, 4), byte(second, 5), byte(second, 6), byte(second, 7)
            ))
    }
}

extension UUID {
    /// Makes a UUID of version 7, greater than every other that this function made in the process.
    ///
    /// - Returns: The UUID; see ``UUIDVersion7Generator``.
    public static func version7() -> UUID {
        UUIDVersion7Generator.process.next()
    }
}
