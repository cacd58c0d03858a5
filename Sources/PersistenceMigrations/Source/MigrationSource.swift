public import PersistenceCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Where migrations come from: a folder, or files that are part of the program.
public struct MigrationSource: Hashable, Sendable {
    private enum Origin: Hashable, Sendable {
        case directory(String)
        case embedded([MigrationFile])
    }

    private let origin: Origin

    /// Files of a folder, read each time a command needs them.
    ///
    /// Symbolic links to files are followed, because container platforms mount files as such links. Folders, and files
    /// whose names do not follow the rule, are left out.
    ///
    /// - Parameter path: The folder's path; a relative one starts at the working directory.
    /// - Returns: The source.
    public static func directory(_ path: String) -> MigrationSource {
        MigrationSource(origin: .directory(path))
    }

    /// Files that are part of the program.
    ///
    /// - Parameter files: The files, in any order.
    /// - Returns: The source.
    public static func embedded(_ files: [MigrationFile]) -> MigrationSource {
        MigrationSource(origin: .embedded(files))
    }

    /// Reads all files and puts them in order.
    ///
    /// - Returns: The migrations.
    /// - Throws: ``PersistenceError`` with the code `configuration` when the folder cannot be read, and with the code
    ///   `migration`, naming every fault, when a file cannot be read or is not UTF-8, when a version does not fit, or when
    ///   two files claim the same version and direction.
    public func load() throws(PersistenceError) -> MigrationSet {
        switch origin {
        case .directory(let path): try Self.load(directory: path)
        case .embedded(let files): try Self.assemble(files, ignored: [], faults: [], origin: "the embedded list")
        }
    }

    private static func load(directory path: String) throws(PersistenceError) -> MigrationSet {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        } catch {
            let reason =
                if !FileManager.default.fileExists(atPath: path) {
                    "does not exist"
                } else if !isDirectory(path) {
                    "is not a folder"
                } else {
                    "cannot be read"
                }
            throw PersistenceError(.configuration, "the migrations folder \(path) \(reason)").with {
                $0.location = path
                $0.underlying = error
            }
        }
        var files: [MigrationFile] = []
        var ignored: [String] = []
        var faults: [Fault] = []
        for name in names {
            let file = path.hasSuffix("/") ? path + name : "\(path)/\(name)"
            if isDirectory(file) { continue }
            if (try? MigrationFileName(name)) == nil, !isTooLarge(name) {
                ignored.append(name)
                continue
            }
            do throws(Fault) {
                files.append(MigrationFile(name: name, path: file, text: try read(file)))
            } catch {
                faults.append(error)
            }
        }
        return try assemble(files, ignored: ignored, faults: faults, origin: path)
    }

    /// Whether there is a folder at a path, links followed.
    private static func isDirectory(_ path: String) -> Bool {
        #if canImport(FoundationEssentials)
            var isDirectory = false
            return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory
        #else
            var isDirectory: ObjCBool = false
            return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
        #endif
    }

    private static func isTooLarge(_ name: String) -> Bool {
        do throws(MigrationFileName.Failure) {
            _ = try MigrationFileName(name)
            return false
        } catch {
            return error == .versionTooLarge
        }
    }

    private struct Fault: Error {
        var summary: String
        var location: String
    }

    private static func read(_ path: String) throws(Fault) -> String {
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: path))
        } catch {
            throw Fault(summary: "\(path) cannot be read", location: path)
        }
        if let text = String(validating: data, as: UTF8.self) { return text }
        if data.starts(with: [0xFF, 0xFE]) || data.starts(with: [0xFE, 0xFF]) {
            throw Fault(summary: "\(path) is UTF-16; save it as UTF-8", location: path)
        }
        // Repairing keeps what is valid, so the first difference is the first bad byte.
        let repaired = String(decoding: data, as: UTF8.self)
        let offset = zip(data, repaired.utf8).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? data.count
        let position = SQLPosition(utf8Offset: offset, in: repaired)
        throw Fault(summary: "\(path):\(position) is not UTF-8", location: "\(path):\(position)")
    }

    private static func assemble(
        _ files: [MigrationFile], ignored: [String], faults: [Fault], origin: String
    ) throws(PersistenceError) -> MigrationSet {
        struct Pair {
            var titles: [MigrationDirection: String] = [:]
            var files: [MigrationDirection: MigrationFile] = [:]
        }
        var ignored = ignored
        var faults = faults
        var pairs: [Int64: Pair] = [:]
        for file in files {
            let name: MigrationFileName
            do throws(MigrationFileName.Failure) {
                name = try MigrationFileName(file.name)
            } catch .versionTooLarge {
                let summary = "the version of \(file.path) is larger than \(Int64.max)"
                faults.append(Fault(summary: summary, location: file.path))
                continue
            } catch {
                ignored.append(file.name)
                continue
            }
            if let offset = file.text.utf8.firstIndex(of: 0) {
                let distance = file.text.utf8.distance(from: file.text.startIndex, to: offset)
                let place = "\(file.path):\(SQLPosition(utf8Offset: distance, in: file.text))"
                faults.append(Fault(summary: "\(place) is a NUL character", location: place))
                continue
            }
            if let other = pairs[name.version]?.files[name.direction] {
                let summary = "\(other.path) and \(file.path) are both version \(name.version), \(name.direction)"
                faults.append(Fault(summary: summary, location: file.path))
                continue
            }
            pairs[name.version, default: Pair()].files[name.direction] = file
            pairs[name.version, default: Pair()].titles[name.direction] = name.title
        }
        if let first = faults.first {
            let summary = faults.map(\.summary).joined(separator: "; ")
            throw PersistenceError(.migration, summary).with { $0.location = first.location }
        }
        let migrations = pairs.sorted { $0.key < $1.key }.map { version, pair in
            Migration(
                version: version, title: pair.titles[.up] ?? pair.titles[.down] ?? "", up: pair.files[.up],
                down: pair.files[.down])
        }
        return MigrationSet(migrations: migrations, ignoredFiles: ignored.sorted(), origin: origin)
    }
}
