import PersistenceCore
import PostgresEngine

/// A domain's protocol and its adapter, as a service has them.
protocol ItemRepository {
    func item(id: Int64) async throws(PersistenceError) -> Item?
}

struct PostgresItemRepository<Executor: PostgresExecutor>: ItemRepository {
    let executor: Executor

    func item(id: Int64) async throws(PersistenceError) -> Item? {
        try await executor.run(GetItem(id: id))
    }
}

extension PostgresExecutor {
    var items: PostgresItemRepository<Self> { PostgresItemRepository(executor: self) }
}
