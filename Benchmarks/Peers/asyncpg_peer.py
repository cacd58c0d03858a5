"""The workloads on asyncpg with uvloop: prepared statements, a connection for each task, which is its best case."""

import asyncio

import asyncpg
import uvloop

import peer


async def make_worker(url, workload):
    connection = await asyncpg.connect(url)
    if workload == "W1":
        statement = await connection.prepare(peer.ITEM + "$1")

        async def read_one(key):
            row = await statement.fetchrow(key)
            assert row["id"] == key

        return connection, read_one
    if workload == "W2":
        statement = await connection.prepare(peer.ITEMS.format("$1"))

        async def read_many(key):
            rows = await statement.fetch(key % 9000)
            # A record decodes when it is made; this takes its values out, as code that uses them does.
            items = [tuple(row) for row in rows]
            assert len(items) == 1000

        return connection, read_many
    lock = await connection.prepare("SELECT balance FROM benchmark.accounts WHERE id = $1 FOR UPDATE")
    change = await connection.prepare("UPDATE benchmark.accounts SET balance = balance + $2 WHERE id = $1")
    note = await connection.prepare("INSERT INTO benchmark.entries (account, amount) VALUES ($1, $2)")

    async def transact(key):
        async with connection.transaction():
            await lock.fetchval(key)
            await change.fetch(key, 1)
            await note.fetch(key, 1)

    return connection, transact


async def main():
    options = peer.arguments()
    measurement = peer.Measurement(options.seconds)
    if options.workload == "W3":
        rows = peer.imported_rows()
        connection = await asyncpg.connect(options.url)
        await measurement.once(
            lambda: connection.copy_records_to_table(
                "imports", schema_name="benchmark", records=rows, columns=peer.ITEM_COLUMNS.split(", ")
            )
        )
        connections = [connection]
    else:
        made = [await make_worker(options.url, options.workload) for _ in range(options.connections)]
        connections = [connection for connection, _ in made]
        await measurement.run([worker for _, worker in made])
    measurement.report()
    await asyncio.gather(*(connection.close() for connection in connections))


uvloop.run(main())
