#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension PostgresConnectFailure {
    /// Finds the reason in libpq's message.
    ///
    /// libpq reports a failed connection in words only. Three things make them readable without guessing:
    ///
    /// - With `PQsetErrorVerbosity(connection, PQERRORS_VERBOSE)` set right after `PQconnectStartParams`, the server's
    ///   own refusals carry their SQLSTATE and the function that reported them, in every language.
    /// - The operating system's errors are compared with `strerror`, which speaks the process's language as libpq does.
    /// - libpq's own messages are English unless the program calls `setlocale`; where they are not, the phase decides
    ///   between `tls`, `authentication` and `connection`.
    ///
    /// With the TLS modes `allow` and `prefer` libpq tries twice, with and without TLS, and reports both attempts. The
    /// first that says more than "no rule lets you in this way" is taken.
    ///
    /// - Parameters:
    ///   - message: What `PQerrorMessage` says.
    ///   - phase: How far the connection had come.
    ///   - needsPassword: What `PQconnectionNeedsPassword` says.
    ///   - host: The host that was tried.
    ///   - configuration: What the connection was opened with.
    init(
        message: String,
        phase: Phase,
        needsPassword: Bool,
        host: PostgresHost,
        configuration: PostgresConfiguration
    ) {
        self.init(.unknown, host: host, configuration: configuration)
        let lines = message.split(separator: "\n").map { String($0) }
        self.message = lines.first

        let candidates = lines.indices.compactMap { index -> (reason: Reason, sqlState: String?, line: String)? in
            let next = index + 1 < lines.count ? Array(lines[(index + 1)...]) : []
            if let refusal = ServerRefusal(lines[index], following: next) {
                return (Self.reason(of: refusal), refusal.sqlState, refusal.text)
            }
            return Self.reason(ofClientMessage: lines[index], phase: phase, host: host).map { ($0, nil, lines[index]) }
        }
        if let best = candidates.first(where: { $0.reason != .rejectedByRules }) ?? candidates.first {
            reason = best.reason
            sqlState = best.sqlState
            self.message = best.line
        } else if needsPassword {
            reason = .passwordMissing
        } else {
            switch phase {
            case .encrypting: reason = .tlsFailed
            case .authenticating: reason = .authenticationMethod
            case .checkingTarget: reason = .wrongTarget
            case .connecting: break
            }
        }
    }

    // MARK: The server's refusals

    /// An error message of the server's inside libpq's text: `… FATAL:  28P01: password authentication failed …`.
    private struct ServerRefusal {
        var sqlState: String
        var text: String
        var sourceFunction: String?

        init?(_ line: String, following: [String]) {
            // Two blanks follow the severity, which is in the server's language; the rest of the form is fixed.
            let pattern = #/:\ \ ([0-9A-Z]{5}):\ /#
            guard let match = line.firstMatch(of: pattern) else { return nil }
            sqlState = String(match.1)
            text = String(line[match.range.upperBound...])
            // `LOCATION:  function, file.c:123`, in libpq's language; before it may be detail and hint.
            let location = #/:\ \ (\w+),\ [\w.]+:\d+$/#
            for next in following {
                if next.firstMatch(of: pattern) != nil { break }
                if let match = next.firstMatch(of: location) {
                    sourceFunction = String(match.1)
                    break
                }
            }
        }
    }

    private static func reason(of refusal: ServerRefusal) -> Reason {
        switch refusal.sqlState {
        case "28P01": .passwordWrong
        case "28000": reasonOfAuthorization(refusal)
        case "3D000": .databaseUnknown
        case "53300": .tooManyConnections
        case "57P01", "57P02", "57P03": .unavailable
        case "55000": .databaseClosed
        case "42501": refusal.sourceFunction == "CheckMyDatabase" ? .databaseForbidden : .parameterRefused
        case "42704", "22023", "22P02", "55P02", "42601", "42602": .parameterRefused
        case "08P01": reasonOfPooler(refusal)
        default: .server
        }
    }

    private static func reasonOfAuthorization(_ refusal: ServerRefusal) -> Reason {
        switch refusal.sourceFunction {
        case "InitializeSessionUserId": .roleUnknown
        case "ClientAuthentication":
            // One function reports both; the file's name is in the message in every language.
            refusal.text.contains("pg_hba.conf") ? .rejectedByRules : .clientCertificateMissing
        default: .credentialsRefused
        }
    }

    /// PgBouncer answers with one code for everything.
    private static func reasonOfPooler(_ refusal: ServerRefusal) -> Reason {
        let text = refusal.text.lowercased()
        if text.contains("no such database") { return .databaseUnknown }
        if text.contains("no such user") || text.contains("authentication failed") { return .passwordWrong }
        if text.contains("startup parameter") { return .parameterRefused }
        if text.contains("no more connections allowed") { return .tooManyConnections }
        if text.contains("shutting down") || text.contains("login failed") || text.contains("login has been failing") {
            return .unavailable
        }
        return .server
    }

    // MARK: libpq's own messages

    /// Parts of libpq's messages (`fe-connect.c`, `fe-auth.c`, `fe-secure*.c`) and what they mean; the first that is
    /// found counts, so that the special stands before the general.
    private static let markers: [(text: String, reason: Reason)] = [
        ("server does not support SSL, but SSL was required", .tlsRefused),
        ("does not match host name", .certificateName),
        ("host name must be specified for a verified SSL connection", .certificateName),
        ("certificate verify failed", .certificateUntrusted),
        ("root certificate file", .rootCertificateFile),
        ("could not load system root certificate paths", .rootCertificateFile),
        ("private key file", .clientCertificateFile),
        ("certificate file", .clientCertificateFile),
        ("private key", .clientCertificateFile),
        ("alert unknown ca", .clientCertificateRefused),
        ("alert bad certificate", .clientCertificateRefused),
        ("alert certificate", .clientCertificateRefused),
        ("alert handshake failure", .tlsVersion),
        ("alert protocol version", .tlsVersion),
        ("unsupported protocol", .tlsVersion),
        ("wrong version number", .tlsVersion),
        ("no protocols available", .tlsVersion),
        ("does not support any SSL protocol version", .tlsVersion),
        ("received invalid response to SSL negotiation", .notPostgres),
        ("expected authentication request from server", .notPostgres),
        ("received invalid protocol negotiation message", .notPostgres),
        ("no password supplied", .passwordMissing),
        ("channel binding required", .authenticationMethod),
        ("authentication method", .authenticationMethod),
        ("SASL", .authenticationMethod),
        ("SCRAM", .authenticationMethod),
        ("server signature", .authenticationMethod),
        ("GSSAPI", .authenticationMethod),
        ("authentication", .authenticationMethod),
        ("hot standby mode", .wrongTarget),
        ("session is read-only", .wrongTarget),
        ("session is not read-only", .wrongTarget),
        ("server closed the connection unexpectedly", .closed),
        ("could not translate host name", .hostUnknown),
        ("timeout expired", .timedOut),
    ]

    /// The reason that a line of libpq's tells by itself, if it does.
    private static func reason(ofClientMessage line: String, phase: Phase, host: PostgresHost) -> Reason? {
        // Continuation lines are hints.
        guard !line.hasPrefix("\t") else { return nil }
        if let found = markers.first(where: { line.contains($0.text) }) { return found.reason }
        if let found = reason(ofSystemError: line, host: host) { return found }
        if line.contains("SSL error") || line.contains("SSL SYSCALL error") || line.contains("could not create SSL") {
            return .tlsFailed
        }
        if phase == .connecting, line.hasPrefix("invalid ") { return .settingsRefused }
        return nil
    }

    private static func reason(ofSystemError line: String, host: PostgresHost) -> Reason? {
        let errors: [(code: Int32, reason: Reason)] = [
            (ECONNREFUSED, .refused), (ETIMEDOUT, .timedOut), (EHOSTUNREACH, .unreachable),
            (ENETUNREACH, .unreachable), (EHOSTDOWN, .unreachable), (ENETDOWN, .unreachable),
            (EADDRNOTAVAIL, .unreachable), (ECONNRESET, .closed), (EPIPE, .closed), (ECONNABORTED, .closed),
            (ENOENT, .socketMissing), (EACCES, .socketForbidden), (EPERM, .socketForbidden),
        ]
        for (code, reason) in errors {
            guard let text = text(ofSystemError: code), !text.isEmpty, line.contains(text) else { continue }
            switch reason {
            // A firewall of the machine's own answers with the same codes as a socket's permissions.
            case .socketForbidden, .socketMissing: return host.isUnixSocket ? reason : .unreachable
            default: return reason
            }
        }
        return nil
    }

    /// The system's words for an error, in the process's language.
    private static func text(ofSystemError code: Int32) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer -> String? in
            guard let start = buffer.baseAddress else { return nil }
            return strerror_r(code, start, buffer.count) == 0 ? String(cString: start) : nil
        }
    }
}
