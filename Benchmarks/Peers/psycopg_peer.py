"""The workloads on psycopg's asynchronous connections with uvloop: prepared and binary, a connection for each task."""

import asyncio

import psycopg
import uvloop

import peer


async def make_worker(url, workload):
    connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
    cursor = connection.cursor(binary=True)
    if workload == "W1":

        async def read_one(key):
            await cursor.execute(peer.ITEM + "%s", (key,), prepare=True)
            row = await cursor.fetchone()
            assert row[0] == key

        return connection, read_one
    if workload == "W2":

        async def read_many(key):
            await cursor.execute(peer.ITEMS.format("%s"), (key % 9000,), prepare=True)
            rows = await cursor.fetchall()
            assert len(rows) == 1000

        return connection, read_many

    async def transact(key):
        async with connection.transaction():
            await cursor.execute(
                "SELECT balance FROM benchmark.accounts WHERE id = %s FOR UPDATE", (key,), prepare=True
            )
            await cursor.fetchone()
            await cursor.execute(
                "UPDATE benchmark.accounts SET balance = balance + %s WHERE id = %s", (1, key), prepare=True
            )
            await cursor.execute(
                "INSERT INTO benchmark.entries (account, amount) VALUES (%s, %s)", (key, 1), prepare=True
            )

    return connection, transact


async def copy_in(connection, rows):
    async with connection.cursor() as cursor:
        async with cursor.copy(f"COPY benchmark.imports ({peer.ITEM_COLUMNS}) FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["int8", "uuid", "text", "text", "float8", "bool", "int4", "timestamptz"])
            for row in rows:
                await copy.write_row(row)


async def main():
    options = peer.arguments()
    measurement = peer.Measurement(options.seconds)
    if options.workload == "W3":
        rows = peer.imported_rows()
        connection = await psycopg.AsyncConnection.connect(options.url, autocommit=True)
        await measurement.once(lambda: copy_in(connection, rows))
        connections = [connection]
    else:
        made = [await make_worker(options.url, options.workload) for _ in range(options.connections)]
        connections = [connection for connection, _ in made]
        await measurement.run([worker for _, worker in made])
    measurement.report()
    await asyncio.gather(*(connection.close() for connection in connections))


uvloop.run(main())
