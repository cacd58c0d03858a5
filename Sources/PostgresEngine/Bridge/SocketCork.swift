#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// Lets a TCP socket gather what is written, until it is pushed out in as few packets as possible.
///
/// libpq hands every query of a pipeline to the socket by itself (PQpipelineSync flushes), and delivering a packet wakes
/// the server's process: that costs most of what a short query costs. See tcp(7), TCP_CORK and TCP_NODELAY.
enum SocketCork {
    #if os(Linux)
        /// Whether the descriptor is a socket that can gather: a TCP socket, not a Unix one.
        static func isPossible(on descriptor: Int32) -> Bool {
            var value: Int32 = 0
            var size = socklen_t(MemoryLayout<Int32>.size)
            return getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_CORK, &value, &size) == 0
        }

        /// Begins to gather.
        static func hold(_ descriptor: Int32) {
            set(TCP_CORK, to: 1, on: descriptor)
        }

        /// Sends what was gathered, and goes on to gather.
        static func push(_ descriptor: Int32) {
            // Set already, by libpq; setting it again is documented to send what is held back.
            set(TCP_NODELAY, to: 1, on: descriptor)
        }

        /// Sends what was gathered, and gathers no longer.
        static func release(_ descriptor: Int32) {
            set(TCP_CORK, to: 0, on: descriptor)
        }

        private static func set(_ option: Int32, to value: Int32, on descriptor: Int32) {
            var value = value
            // Cannot fail on a socket that has the option; and if it did, the kernel lets go after 200 ms by itself.
            _ = setsockopt(
                descriptor, Int32(IPPROTO_TCP), option, &value, socklen_t(MemoryLayout<Int32>.size))
        }
    #else
        static func isPossible(on descriptor: Int32) -> Bool { false }
        static func hold(_ descriptor: Int32) {}
        static func push(_ descriptor: Int32) {}
        static func release(_ descriptor: Int32) {}
    #endif
}
