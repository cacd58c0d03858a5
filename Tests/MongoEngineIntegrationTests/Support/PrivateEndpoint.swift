import BSON
import Foundation
import MongoEngine
import PersistenceCore
import PersistenceTesting
import Synchronization
import Testing

extension Trait where Self == ConditionTrait {
    /// Runs a suite where private endpoints can be started.
    static var privateEndpoint: ConditionTrait {
        .enabled(
            if: DocumentTestServer.isExpected, "GATEWAY_PROGRAM and ENGINE_PROGRAMS, of Scripts/databases env, are set")
    }
}

/// The endpoints of tests that kill theirs, or set it up in their own way.
///
/// They are lent to one test at a time: several would starve each other on a machine with few cores.
enum PrivateEndpoint {
    private static let gate = SerialGate()
    /// One engine for all of them, because to make one takes seconds.
    ///
    /// It ends with the process.
    private static let engine = Task { try await DocumentTestServer.makeEngine() }

    /// Lends a running gateway in front of the engine.
    static func with<Result>(
        _ options: DocumentTestServer.Options = DocumentTestServer.Options(),
        _ body: (DocumentTestServer) async throws -> Result
    ) async throws -> Result {
        await gate.enter()
        defer { gate.leave() }
        let engine = try await engine.value
        // A test before this one may have failed in the moment when the engine was down.
        try await engine.start()
        return try await DocumentTestServer.with(engine, options, body)
    }

    /// How to reach a gateway: as a database of a new name, with few clients that wait for nothing longer than necessary.
    ///
    /// - Parameters:
    ///   - server: The gateway.
    ///   - proxy: A proxy on the way to it.
    static func configuration(
        of server: DocumentTestServer, through proxy: TCPProxy? = nil
    ) throws -> MongoConfiguration {
        var configuration = try MongoConfiguration(uri: server.url)
        configuration.database = "private_" + UUID().uuidString.lowercased().replacing("-", with: "")
        configuration.pool = MongoPoolConfiguration(maximum: 6)
        configuration.cancellationGrace = .milliseconds(50)
        configuration.heartbeatInterval = .milliseconds(500)
        // A server of a replica set would send the driver past the proxy.
        configuration.isDirectConnection = true
        if let proxy { configuration.hosts = [MongoHost(proxy.host, port: proxy.port)] }
        return configuration
    }
}

extension PrivateEndpoint {
    /// Has a gateway wait before each query of an application, or no longer.
    ///
    /// - Parameters:
    ///   - application: The name that the application gives itself.
    ///   - milliseconds: How long it waits; nothing is not at all.
    ///   - database: Leads to the gateway.
    static func delayQueries(
        of application: String, by milliseconds: Int32?, on database: MongoDatabase
    ) async throws {
        var data: Document = ["appName": .string(application)]
        if let milliseconds {
            data["failCommands"] = ["find"]
            data["blockConnection"] = true
            data["blockTimeMS"] = .int32(milliseconds)
        }
        _ = try await database.runCommand(
            [
                "configureFailPoint": "failCommand", "mode": milliseconds == nil ? "off" : "alwaysOn",
                "data": .document(data),
            ], on: "admin")
    }
}

extension PrivateEndpoint {
    /// What a gateway holds.
    struct Status {
        var cursors: Int
        var transactions: Int
        var connections: Int
    }

    static func status(_ database: MongoDatabase) async throws -> Status {
        let status = try await database.runCommand(["serverStatus": 1], on: "admin")
        return Status(
            cursors: status["cursors"]?["open"]?.int ?? -1,
            transactions: status["transactions"]?["currentOpen"]?.int ?? -1,
            connections: status["connections"]?["current"]?.int ?? -1)
    }
}

/// Lets one caller in at a time, in the order they come.
private final class SerialGate: Sendable {
    private struct State {
        var isTaken = false
        var waiters: [UnsafeContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func enter() async {
        await withUnsafeContinuation { continuation in
            let isFree = state.withLock { state in
                guard state.isTaken else {
                    state.isTaken = true
                    return true
                }
                state.waiters.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    func leave() {
        let next = state.withLock { state -> UnsafeContinuation<Void, Never>? in
            guard !state.waiters.isEmpty else {
                state.isTaken = false
                return nil
            }
            return state.waiters.removeFirst()
        }
        next?.resume()
    }
}
