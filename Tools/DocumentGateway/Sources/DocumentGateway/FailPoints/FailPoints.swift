package import BSON
internal import Synchronization

/// The fail point `failCommand`, with which tests make commands fail.
///
/// Unlike a server's there is one for each `appName` and one for clients without, so that tests that run at the same time
/// do not disturb each other.
package final class FailPoints: Sendable {
    /// What happens to a command.
    package struct Effect: Sendable {
        package var errorCode: Int32?
        package var closesConnection = false
        package var delay: Duration?
        package var writeConcernError: Document?
        package var labels: [String] = []
    }

    private enum Mode {
        case always
        case times(Int)
        case skip(Int)
    }

    private struct Point {
        var mode: Mode
        let commands: Set<String>
        let effect: Effect
    }

    package init() {}

    private let points = Mutex<[String: Point]>([:])

    /// Sets or ends the fail point as the command `configureFailPoint` says.
    package func configure(_ command: Command) throws(CommandError) {
        guard command.subject?.string == "failCommand" else {
            throw CommandError(2, "the only fail point is failCommand")
        }
        let data = command.body["data"]?.document ?? Document()
        let application = data["appName"]?.string ?? ""
        let mode: Mode
        switch command.body["mode"] {
        case .string("off")?:
            points.withLock { points in
                // Without data, as drivers' tests write it, every fail point ends.
                if command.body["data"] == nil { points = [:] } else { points[application] = nil }
            }
            return
        case .string("alwaysOn")?: mode = .always
        case .document(let document)?:
            if let times = document["times"]?.int, times >= 0 {
                mode = .times(times)
            } else if let skip = document["skip"]?.int, skip >= 0 {
                mode = .skip(skip)
            } else {
                throw CommandError(2, "the mode must be off, alwaysOn, {times: n} or {skip: n}")
            }
        default: throw CommandError(2, "the mode must be off, alwaysOn, {times: n} or {skip: n}")
        }
        let names = (data["failCommands"]?.array ?? BSONArray()).compactMap(\.string)
        guard !names.isEmpty else { throw CommandError(2, "data.failCommands must name the commands that fail") }
        var effect = Effect()
        effect.errorCode = data["errorCode"]?.int.flatMap { Int32(exactly: $0) }
        effect.closesConnection = data["closeConnection"]?.bool ?? false
        if data["blockConnection"]?.bool ?? false {
            effect.delay = .milliseconds(min(max(data["blockTimeMS"]?.int ?? 0, 0), 600_000))
        }
        effect.writeConcernError = data["writeConcernError"]?.document
        effect.labels = (data["errorLabels"]?.array ?? BSONArray()).compactMap(\.string)
        let point = Point(mode: mode, commands: Set(names), effect: effect)
        points.withLock { $0[application] = point }
    }

    /// What happens to a command now; counts down.
    package func effect(on command: String, application: String?) -> Effect? {
        points.withLock { points in
            guard !points.isEmpty else { return nil }
            for name in Set([application ?? "", ""]).sorted(by: >) {
                guard var point = points[name], point.commands.contains(command) else { continue }
                switch point.mode {
                case .always: return point.effect
                case .times(let count):
                    guard count > 0 else { continue }
                    point.mode = .times(count - 1)
                    points[name] = count == 1 ? nil : point
                    return point.effect
                case .skip(let count):
                    guard count > 0 else { return point.effect }
                    point.mode = .skip(count - 1)
                    points[name] = point
                }
            }
            return nil
        }
    }
}
