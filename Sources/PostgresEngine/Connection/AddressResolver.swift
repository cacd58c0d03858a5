internal import PersistenceCore

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Turns host names into numeric addresses, which `PQconnectStartParams` would otherwise do while it blocks a reactor.
enum AddressResolver {
    /// Looks a name up, blocking the thread.
    ///
    /// - Parameter name: A DNS name or a numeric address.
    /// - Returns: Numeric addresses in the order in which they should be tried (RFC 6724), or the resolver's own words
    ///   for why there are none.
    static func addresses(of name: String) -> Result<[String], ResolverFailure> {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        #if canImport(Darwin)
            hints.ai_socktype = SOCK_STREAM
        #else
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #endif
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(name, nil, &hints, &list)
        guard status == 0 else {
            return .failure(ResolverFailure(message: String(cString: gai_strerror(status))))
        }
        defer { freeaddrinfo(list) }
        var found: [String] = []
        var next = list
        while let entry = next?.pointee {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            if getnameinfo(entry.ai_addr, entry.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0 {
                let address = text.withUnsafeBufferPointer { String(cString: $0.baseAddress.unsafelyUnwrapped) }
                if !found.contains(address) { found.append(address) }
            }
            next = entry.ai_next
        }
        return .success(found)
    }
}

/// A name that could not be looked up.
struct ResolverFailure: Error {
    let message: String
}
