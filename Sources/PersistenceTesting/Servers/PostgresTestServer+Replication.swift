public import PersistenceCore

extension PostgresTestServer {
    /// Makes a server that follows this one: a streaming replica, which does not run yet.
    ///
    /// ```swift
    /// let replica = try await primary.makeReplica(named: "second")
    /// try await replica.start()
    /// try await primary.replicateSynchronously(to: ["second"])
    /// // … under load …
    /// try await primary.kill()
    /// try await replica.promote()
    /// ```
    ///
    /// The replica has the primary's users, passwords, databases and settings, and a port and a folder of its own.
    ///
    /// - Parameters:
    ///   - name: What the primary knows the replica by (its `application_name`).
    ///   - settings: Settings of `postgresql.conf` that win over the primary's.
    /// - Returns: The replica.
    /// - Throws: ``PersistenceError`` with the code `configuration` when the name or a setting cannot be in a configuration
    ///   file or the primary has TLS, whose certificates lie in its own folder; with the code `server` and what
    ///   `pg_basebackup` printed when the primary does not run.
    public func makeReplica(
        named name: String = "replica", settings: [String: String] = [:]
    ) async throws(PersistenceError) -> PostgresTestServer {
        // A name is written where a user's could be, so the same letters are safe in it.
        try Self.check(Options(settings: settings, username: name))
        guard certificates == nil else {
            throw PersistenceError(
                .configuration, "a server with TLS cannot be followed", operation: "server.replica")
        }
        return try await PostgresTestServer(following: self, as: name, settings: settings)
    }

    /// Makes every commit wait for replicas (`synchronous_standby_names`), or none.
    ///
    /// Returns when they follow synchronously.
    ///
    /// - Parameter replicas: The replicas' names, the preferred one first; one of them has to confirm each commit. Empty, no
    ///   commit waits.
    /// - Throws: ``PersistenceError`` with the code `configuration` for a name that no replica can have, `server` when the
    ///   server does not run or the replicas do not follow within a minute.
    public func replicateSynchronously(to replicas: [String]) async throws(PersistenceError) {
        for name in replicas { try Self.check(Options(username: name)) }
        let names = replicas.map { "\"\($0)\"" }.joined(separator: ", ")
        try await query("ALTER SYSTEM SET synchronous_standby_names = '\(names)'")
        try await query("SELECT pg_reload_conf()")
        guard !replicas.isEmpty else { return }
        let isFollowed = try await process.poll(600, every: .milliseconds(100), operation: "server.replica") {
            () async throws(PersistenceError) in
            try await query("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") != "0"
        }
        guard isFollowed else { throw PersistenceError(.server, "no replica follows", operation: "server.replica") }
    }

    /// Makes a replica a primary, and waits until it takes writes.
    ///
    /// - Throws: ``PersistenceError`` with the code `server` and what `pg_ctl` printed when the server does not run or follows
    ///   nobody.
    public func promote() async throws(PersistenceError) {
        try await process.require(
            installation.program("pg_ctl"), ["promote", "-s", "-w", "-t", "60", "-D", dataFolder])
    }

    func copyCluster(
        of primary: PostgresTestServer, as name: String, _ settings: [String: String]
    ) async throws(PersistenceError) {
        var own = [
            "unix_socket_directories": socketFolder,
            "primary_conninfo":
                "host=\(primary.socketFolder) port=\(primary.port) user=\(username) application_name=\(name)",
            // A replica of a replica's own commits would wait for itself.
            "synchronous_standby_names": "",
        ]
        own.merge(settings) { $1 }
        let script = #"""
            set -eu
            umask 077
            mkdir -p "$1/socket"
            "$2" -D "$1/data" -h "$3" -p "$4" -U "$5" -X stream -c fast --no-sync
            # What the primary was told by ALTER SYSTEM is its own.
            : >"$1/data/postgresql.auto.conf"
            cat >>"$1/data/postgresql.conf" <<END
            $6
            END
            : >"$1/data/standby.signal"
            """#
        try await process.require(
            "/bin/sh",
            [
                "-c", script, "sh", folder, installation.program("pg_basebackup"), primary.socketFolder,
                "\(primary.port)", username, Self.lines(of: own),
            ])
    }
}
