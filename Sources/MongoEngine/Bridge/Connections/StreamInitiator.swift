internal import CMongoC
internal import PersistenceCore

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Opens the connections of a client in the driver's place.
enum StreamInitiator {
    /// Has a client open its connections as ``ServerConnection``s.
    ///
    /// - Parameters:
    ///   - client: A `mongoc_client_t`.
    ///   - connections: Lives as long as the client does.
    static func install(on client: OpaquePointer, connections: ClientConnections) {
        mongoc_client_set_stream_initiator(
            client,
            { _, host, context, error in
                guard let host, let context else { return nil }
                let connections = Unmanaged<ClientConnections>.fromOpaque(context).takeUnretainedValue()
                return StreamInitiator.open(host, connections, error)
            }, Unmanaged.passUnretained(connections).toOpaque())
    }

    private static func open(
        _ entry: UnsafePointer<mongoc_host_list_t>, _ connections: ClientConnections,
        _ error: UnsafeMutablePointer<bson_error_t>?
    ) -> UnsafeMutablePointer<mongoc_stream_t>? {
        let host = String(cArray: entry.address(of: \.host))
        let settings = connections.settings
        let metrics = connections.counts.metrics
        let start = metrics == nil ? nil : ContinuousClock.now
        func opened(_ stream: UnsafeMutablePointer<mongoc_stream_t>) -> UnsafeMutablePointer<mongoc_stream_t>? {
            if let start { metrics?.recordCreateTime(start.duration(to: .now)) }
            return stream
        }
        let connection: ServerConnection
        switch ServerConnection.open(
            host: host, port: entry.pointee.port, timeout: settings.connectTimeout, owner: connections)
        {
        case .open(let opened): connection = opened
        case .unknownHost:
            error?.pointee.set(MONGOC_ERROR_STREAM_NAME_RESOLUTION, "Failed to resolve \(host)")
            return nil
        case .failed(let code):
            let reason = String(cString: strerror(code))
            error?.pointee.set(MONGOC_ERROR_STREAM_CONNECT, "Failed to connect to \(host): \(reason)")
            return nil
        }
        let stream = ConnectionStream.make(connection, isBuffered: !settings.tls.isEnabled)
        guard settings.tls.isEnabled else { return opened(stream) }
        let encrypted = settings.withTLSOptions { mongoc_stream_tls_new_with_hostname(stream, host, $0, 1) }
        guard let encrypted else {
            mongoc_stream_destroy(stream)
            error?.pointee.set(MONGOC_ERROR_STREAM_SOCKET, "Failed initialize TLS state.")
            return nil
        }
        guard mongoc_stream_tls_handshake_block(encrypted, host, settings.connectTimeout, error) else {
            mongoc_stream_destroy(encrypted)
            return nil
        }
        return opened(mongoc_stream_buffered_new(encrypted, bufferSize))
    }

    /// The driver's own size.
    private static var bufferSize: Int { 1024 }
}

extension bson_error_t {
    /// Fills the error; `bson_set_error` takes arguments that Swift cannot pass.
    fileprivate mutating func set(_ code: mongoc_error_code_t, _ text: String) {
        domain = MONGOC_ERROR_STREAM.rawValue
        self.code = code.rawValue
        withUnsafeMutableBytes(of: &message) { buffer in
            let bytes = Array(text.utf8.prefix(buffer.count - 1)) + [0]
            buffer.copyBytes(from: bytes)
        }
    }
}
