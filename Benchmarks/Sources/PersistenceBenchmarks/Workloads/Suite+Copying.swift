import BenchmarkSupport
import Foundation
import PersistenceCore
import PostgresEngine

/// W3: 100,000 rows in.
extension Suite {
    func copying(_ name: String, on url: String, peers: Peers?) -> Comparison {
        let baseline = Baseline(url: url)
        var contenders = [
            Contender(Name.cCopy) { _ in try baseline.copy(rows: Schema.imports) },
            Contender(Name.copy) { _ in
                try await Engine(url: url, tasks: 1).time { database in
                    try expectAll(try await database.copyIn(Import.items, into: Import.table))
                }
            },
        ]
        if let peers {
            contenders += [
                Contender(Name.arrays) { _ in
                    try await Engine(url: url, tasks: 1).time { database in
                        try expectAll(try await database.run(InsertItems(items: Import.items)))
                    }
                },
                peers.psqlCopy(Name.psqlBinary, format: "binary"),
                peers.psqlCopy(Name.psqlText, format: "text"),
                peers.python(Name.asyncpg, workload: "W3", connections: 1),
                peers.python(Name.psycopg, workload: "W3", connections: 1),
            ]
        }
        return Comparison(name: name, contenders: contenders) { try baseline.execute(Schema.tidyImports) }
    }
}

private func expectAll(_ count: Int) throws {
    guard count == Schema.imports else { throw Failure(description: "\(count) rows were imported") }
}

/// The rows of an import, made once, because making rows is not what is measured.
enum Import {
    static let table: PostgresIdentifier = {
        do {
            return try PostgresIdentifier("benchmark", "imports")
        } catch {
            preconditionFailure("\(error)")
        }
    }()

    static let items: [Item] = (1...Int64(Schema.imports)).map { id in
        let byte = UInt8(truncatingIfNeeded: id - 1)
        return Item(
            id: id,
            owner: UUID(
                uuid: (
                    byte, byte, byte, byte, byte, byte, byte, byte, byte, byte, byte, byte, byte, byte, byte, byte
                )),
            name: "Person number \(id)",
            email: "person.\(id)@mail.example.com",
            score: Double(id) / 7,
            isActive: (id - 1) % 3 == 0,
            visits: Int32((id - 1) % 1000),
            createdAt: Date(timeIntervalSince1970: 946_684_800 + Double(id - 1) * 60))
    }
}

extension Item: PostgresCopyEncodable {
    static let columns = ["id", "owner", "name", "email", "score", "is_active", "visits", "created_at"]

    func encode(to writer: inout PostgresCopyWriter) throws(PersistenceError) {
        try writer.append(id)
        try writer.append(owner)
        try writer.append(name)
        try writer.append(email)
        try writer.append(score)
        try writer.append(isActive)
        try writer.append(visits)
        try writer.append(createdAt)
    }
}

/// All rows in one statement, a parameter for each column.
struct InsertItems: PostgresCountedCommand {
    static let name = "InsertItems"
    static let command = "INSERT"
    static var collection: String? { "imports" }
    static let sql = """
        INSERT INTO benchmark.imports (id, owner, name, email, score, is_active, visits, created_at)
        SELECT * FROM unnest(
            $1::bigint[], $2::uuid[], $3::text[], $4::text[], $5::double precision[], $6::boolean[], $7::integer[],
            $8::timestamptz[])
        """

    var items: [Item]

    func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
        try parameters.append(items.map(\.id))
        try parameters.append(items.map(\.owner))
        try parameters.append(items.map(\.name))
        try parameters.append(items.map(\.email))
        try parameters.append(items.map(\.score))
        try parameters.append(items.map(\.isActive))
        try parameters.append(items.map(\.visits))
        try parameters.append(items.map(\.createdAt))
    }
}
