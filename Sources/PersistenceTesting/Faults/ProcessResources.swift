#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What this process holds of the operating system, for tests that look for leaks.
///
/// Known on Linux only, from `/proc/self`; elsewhere every number is 0.
public struct ProcessResources: Sendable, Hashable {
    /// Open descriptors.
    public var descriptors: Int
    /// Threads.
    public var threads: Int
    /// Memory in use that is not swapped out, in bytes.
    public var residentBytes: Int

    /// Whether the numbers are known on this system.
    public static var isKnown: Bool { FileManager.default.fileExists(atPath: "/proc/self/statm") }

    /// What the process holds now.
    public static var current: ProcessResources {
        let pages = text("/proc/self/statm").split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return ProcessResources(
            descriptors: descriptors(), threads: names(in: "/proc/self/task").count,
            residentBytes: pages * Int(sysconf(Int32(_SC_PAGESIZE))))
    }

    /// The sockets of this process that are connected to a port of this machine.
    ///
    /// - Parameter port: The port.
    /// - Returns: Their number.
    public static func sockets(to port: Int) -> Int {
        let hexadecimal = String(port, radix: 16, uppercase: true)
        let wanted = ":" + String(repeating: "0", count: max(0, 4 - hexadecimal.count)) + hexadecimal
        var inodes: Set<Substring> = []
        for line in text("/proc/self/net/tcp").split(separator: "\n").dropFirst() {
            let fields = line.split(separator: " ")
            if fields.count > 9, fields[2].hasSuffix(wanted) { inodes.insert(fields[9]) }
        }
        return descriptors { target in
            target.hasPrefix("socket:[") && inodes.contains(target.dropFirst(8).dropLast())
        }
    }

    /// The descriptors of this process whose target is wanted.
    ///
    /// - Parameter isWanted: Looks at a target, such as `socket:[4711]`.
    /// - Returns: Their number.
    public static func descriptors(where isWanted: (String) -> Bool = { _ in true }) -> Int {
        names(in: "/proc/self/fd").count { name in
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)")
            return target.map(isWanted) ?? false
        }
    }

    /// The threads of this process with a name.
    ///
    /// - Parameter name: The beginning of the name.
    /// - Returns: Their number.
    public static func threads(named name: String) -> Int {
        names(in: "/proc/self/task").count { text("/proc/self/task/\($0)/comm").hasPrefix(name) }
    }

    private static func names(in folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    }

    private static func text(_ path: String) -> String {
        (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    }
}
