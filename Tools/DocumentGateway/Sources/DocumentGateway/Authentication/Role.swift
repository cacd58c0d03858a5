internal import BSON

/// What a command does to whom, for authorization.
package enum Privilege: Sendable, Equatable {
    /// Allowed to everybody, authenticated or not.
    case open
    /// Allowed to every user.
    case authenticated
    case read(database: String)
    case write(database: String)
    /// Statistics, validation and options of a database.
    case administer(database: String)
    case dropDatabase(String)
    case manageUsers(database: String)
    /// What concerns the whole server and changes nothing.
    case monitor
    case manageServer
}

/// One of MongoDB's built-in roles, granted on a database.
package struct Role: Sendable, Equatable {
    /// The roles that the gateway knows.
    package enum Name: String, Sendable, CaseIterable {
        case read, readWrite, dbAdmin, userAdmin, dbOwner
        case readAnyDatabase, readWriteAnyDatabase, dbAdminAnyDatabase, userAdminAnyDatabase
        case clusterMonitor, clusterManager, hostManager, clusterAdmin, root

        /// Whether the role exists on the database `admin` alone.
        var isGlobal: Bool {
            switch self {
            case .read, .readWrite, .dbAdmin, .userAdmin, .dbOwner: false
            default: true
            }
        }
    }

    package let name: Name
    package let database: String

    var document: Document { ["role": .string(name.rawValue), "db": .string(database)] }

    package init(name: Name, database: String) {
        self.name = name
        self.database = database
    }

    /// Whether the role allows something.
    package func allows(_ privilege: Privilege) -> Bool {
        switch privilege {
        case .open, .authenticated: true
        case .read(let target): reads(target)
        case .write(let target): writes(target)
        case .administer(let target): administers(target) || writes(target)
        case .dropDatabase(let target): administers(target)
        case .manageUsers(let target): managesUsers(target)
        case .monitor: [.clusterMonitor, .clusterManager, .clusterAdmin, .hostManager, .root].contains(name)
        case .manageServer: [.clusterAdmin, .hostManager, .root].contains(name)
        }
    }

    private func reads(_ target: String) -> Bool {
        switch name {
        case .read, .readWrite, .dbOwner: target == database
        case .readAnyDatabase, .readWriteAnyDatabase, .root: true
        default: false
        }
    }

    private func writes(_ target: String) -> Bool {
        switch name {
        case .readWrite, .dbOwner: target == database
        case .readWriteAnyDatabase, .root: true
        default: false
        }
    }

    private func administers(_ target: String) -> Bool {
        switch name {
        case .dbAdmin, .dbOwner: target == database
        case .dbAdminAnyDatabase, .root: true
        // As on a server, where it may drop databases.
        case .clusterAdmin: true
        default: false
        }
    }

    private func managesUsers(_ target: String) -> Bool {
        switch name {
        case .userAdmin, .dbOwner: target == database
        case .userAdminAnyDatabase, .root: true
        default: false
        }
    }
}

extension Role {
    /// Reads roles as `createUser` has them: names, or documents with `role` and `db`.
    static func list(_ value: BSONValue?, database: String) throws(CommandError) -> [Role] {
        guard let array = value?.array else { throw CommandError(14, "'roles' must be an array") }
        var roles: [Role] = []
        for element in array {
            let text = element.string ?? element["role"]?.string ?? ""
            guard let name = Name(rawValue: text) else { throw CommandError(31, "Could not find role: \(text)") }
            let target = element["db"]?.string ?? database
            guard !name.isGlobal || target == "admin" else {
                throw CommandError(31, "Could not find role: \(text)@\(target)")
            }
            roles.append(Role(name: name, database: target))
        }
        return roles
    }
}

/// Who a connection has shown to be.
package struct AuthenticatedUser: Sendable {
    package let name: String
    package let database: String
    package let roles: [Role]

    func may(_ privilege: Privilege) -> Bool {
        roles.contains { $0.allows(privilege) }
    }
}
