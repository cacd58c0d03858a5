/// A logical session: the client's identifier, and whose it is.
package struct SessionKey: Hashable, Sendable {
    /// What the engine's table knows it by.
    let bytes: [UInt8]

    package init(id: [UInt8], user: String?) {
        bytes = id + Array((user ?? "").utf8)
    }
}
