import Testing

/// What becomes of work when something fails, one suite after the other: each of them keeps the machine busy, and some
/// need the network to be no slower than they make it.
@Suite("Faults", .serialized)
enum FaultTests {}
