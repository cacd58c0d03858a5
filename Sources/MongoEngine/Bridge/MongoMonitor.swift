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
    ///
    /// - Parameters:
    ///   - pool: A `mongoc_client_pool_t`.
    ///   - isRecorded: Whether somebody wants to know which member answers a command.
    func install(on pool: OpaquePointer, isRecorded: Bool) {
        let callbacks = mongoc_apm_callbacks_new()
        CommandTally.install(on: callbacks, isRecorded: isRecorded)
        mongoc_apm_set_topology_changed_cb(callbacks) { event in
            guard let event, let context = mongoc_apm_topology_changed_get_context(event) else { return }
            MongoMonitor.from(context).topologyChanged(mongoc_apm_topology_changed_get_new_description(event))
        }
        mongoc_apm_set_server_opening_cb(callbacks) { event in
            guard let event, let context = mongoc_apm_server_opening_get_context(event) else { return }
            MongoMonitor.from(context).serverChanged(mongoc_apm_server_opening_get_host(event), isWatched: true)
        }
        mongoc_apm_set_server_closed_cb(callbacks) { event in
            guard let event, let context = mongoc_apm_server_closed_get_context(event) else { return }
            MongoMonitor.from(context).serverChanged(mongoc_apm_server_closed_get_host(event), isWatched: false)
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

    /// The driver begins to watch a server, or no longer does.
    private func serverChanged(_ host: UnsafePointer<mongoc_host_list_t>?, isWatched: Bool) {
        guard let host else { return }
        let name = MongoHost(host)
        state.withLock { state in
            let index = state.topology.servers.firstIndex { $0.host == name }
            if isWatched, index == nil {
                state.topology.servers.append(MongoTopology.Server(host: name, kind: .unknown))
            } else if !isWatched, let index {
                state.topology.servers.remove(at: index)
            }
        }
    }

    private func topologyChanged(_ description: OpaquePointer?) {
        guard let description else { return }
        let kinds = Self.kinds(of: description)
        let kind = String(cString: mongoc_topology_description_type(description))
        let changes = state.withLock { state in
            state.topology.kind = kind
            var changes: [MongoTopology.Server] = []
            for index in state.topology.servers.indices {
                let before = state.topology.servers[index].kind
                // The driver's list leaves out those that it knows nothing of.
                state.topology.servers[index].kind = kinds[state.topology.servers[index].host] ?? .unknown
                if state.topology.servers[index].kind != before { changes.append(state.topology.servers[index]) }
            }
            return changes
        }
        guard let logger else { return }
        for server in changes {
            logger.log(
                level: server.kind == .unknown ? .warning : .info, "database server is \(server.kind)",
                metadata: ["server.address": "\(server.host)", "topology": "\(kind)"])
        }
    }

    private static func kinds(of description: OpaquePointer) -> [MongoHost: MongoTopology.Server.Kind] {
        var count = 0
        guard let list = mongoc_topology_description_get_servers(description, &count) else { return [:] }
        defer { mongoc_server_descriptions_destroy_all(list, count) }
        var kinds: [MongoHost: MongoTopology.Server.Kind] = [:]
        for index in 0..<count {
            guard let server = list[index], let host = mongoc_server_description_host(server) else { continue }
            let name = String(cString: mongoc_server_description_type(server))
            kinds[MongoHost(host)] = MongoTopology.Server.Kind(driverName: name)
        }
        return kinds
    }

    private func heartbeat(_ host: UnsafePointer<mongoc_host_list_t>?, after duration: Duration?) {
        guard let host else { return }
        let name = MongoHost(host)
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
}
