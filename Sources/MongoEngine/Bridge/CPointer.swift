/// The address of something of the driver's.
///
/// @unchecked: an address alone can be in many hands; what it points at is used as its owner says, which is by one
/// thread at a time for clients, cursors and sessions.
struct CPointer: @unchecked Sendable, Hashable {
    let raw: OpaquePointer

    init(_ raw: OpaquePointer) {
        self.raw = raw
    }
}
