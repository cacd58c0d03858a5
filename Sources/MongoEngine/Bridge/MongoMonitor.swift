internal import CMongoC
internal import Logging
internal import PersistenceCore
internal import Synchronization

/// Hears what the driver finds out about the servers, on the driver's own threads.
final class MongoMonitor: Sendable {
    private struct State: Sendable {
        var topology = MongoTopology()
    }

    private let state = Mutex(State())
    private let logger: Logger?

    init(logger: Logger?) {
        self.logger = logger
    }

    /// What is known about the servers.
    var topology: MongoTopology { state.withLock { $0.topology } }

    /// Asks the pool to report.
    ///
    /// The monitor must live as long as the pool does.
    func install(on pool: OpaquePointer) {
        let callbacks = mongoc_apm_callbacks_new()
        mongoc_apm_set_topology_changed_cb(callbacks) { event in
            guard let event, let context = mongoc_apm_topology_changed_get_context(event) else { return }
            MongoMonitor.from(context).topologyChanged(mongoc_apm_topology_changed_get_new_description(event))
        }
        mongoc_apm_set_server_heartbeat_succeeded_cb(callbacks) { event in
            guard let event, let context = mongoc_apm_server_heartbeat_succeeded_get_context(event) else { return }
            let microseconds = mongoc_apm_server_heartbeat_succeeded_get_duration(event)
            MongoMonitor.from(context).heartbeat(
                mongoc_apm_server_heartbeat_succeeded_get_host(event), after: .microseconds(microseconds))
        }
        mongoc_apm_set_server_heartbeat_failed_cb(callbacks) { event in
            guard let event, let context = mongoc_apm_server_heartbeat_failed_get_context(event) else { return }
            MongoMonitor.from(context).heartbeat(mongoc_apm_server_heartbeat_failed_get_host(event), after: nil)
        }
        mongoc_client_pool_set_apm_callbacks(pool, callbacks, Unmanaged.passUnretained(self).toOpaque())
        mongoc_apm_callbacks_destroy(callbacks)
    }

    private static func from(_ context: UnsafeMutableRawPointer) -> MongoMonitor {
        Unmanaged<MongoMonitor>.fromOpaque(context).takeUnretainedValue()
    }

    private func topologyChanged(_ description: OpaquePointer?) {
        guard let description else { return }
        var count = 0
        let list = mongoc_topology_description_get_servers(description, &count)
        var servers: [MongoTopology.Server] = []
        for index in 0..<count {
            guard let server = list?[index] else { continue }
            servers.append(
                MongoTopology.Server(
                    host: Self.host(mongoc_server_description_host(server)),
                    kind: MongoTopology.Server.Kind(driverName: String(cString: mongoc_server_description_type(server)))
                ))
        }
        if let list { mongoc_server_descriptions_destroy_all(list, count) }
        let kind = String(cString: mongoc_topology_description_type(description))
        let (before, after) = state.withLock { state in
            let before = state.topology
            for index in servers.indices {
                let known = before.servers.first { $0.host == servers[index].host }
                servers[index].roundTripTime = known?.roundTripTime
                servers[index].failedHeartbeats = known?.failedHeartbeats ?? 0
            }
            state.topology.kind = kind
            state.topology.servers = servers
            return (before, state.topology)
        }
        guard let logger else { return }
        for server in after.servers {
            let known = before.servers.first { $0.host == server.host }
            guard known?.kind != server.kind else { continue }
            let isLost = server.kind == .unknown && known != nil
            logger.log(
                level: isLost ? .warning : .info, "database server is \(server.kind)",
                metadata: ["server.address": "\(server.host)", "topology": "\(kind)"])
        }
    }

    private func heartbeat(_ host: UnsafePointer<mongoc_host_list_t>?, after duration: Duration?) {
        guard let host else { return }
        let name = Self.host(host)
        state.withLock { state in
            guard let index = state.topology.servers.firstIndex(where: { $0.host == name }) else { return }
            if let duration {
                state.topology.servers[index].roundTripTime = duration
                state.topology.servers[index].failedHeartbeats = 0
            } else {
                state.topology.servers[index].failedHeartbeats += 1
            }
        }
    }

    private static func host(_ entry: UnsafePointer<mongoc_host_list_t>) -> MongoHost {
        MongoHost(String(cArray: entry.address(of: \.host)), port: Int(entry.pointee.port))
    }
}
