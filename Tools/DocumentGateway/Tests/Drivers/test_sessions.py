"""Transactions and retryable writes."""

import threading
import uuid

import pymongo
import pytest
from bson import Binary, Int64
from conftest import URL
from pymongo.errors import AutoReconnect, DuplicateKeyError, OperationFailure
from wire import Connection


def test_a_transaction_is_seen_when_it_is_committed(client, database):
    database.create_collection("items")
    with client.start_session() as session:
        with session.start_transaction():
            database.items.insert_one({"_id": 1}, session=session)
            assert database.items.find_one({"_id": 1}, session=session) == {"_id": 1}
            assert database.items.find_one({"_id": 1}) is None
        assert database.items.find_one({"_id": 1}) == {"_id": 1}


def test_an_aborted_transaction_leaves_nothing(client, database):
    database.create_collection("items")
    with client.start_session() as session:
        session.start_transaction()
        database.items.insert_many([{"_id": 1}, {"_id": 2}], session=session)
        session.abort_transaction()
    assert database.items.count_documents({}) == 0


def test_any_error_ends_a_transaction(client, database):
    database.items.insert_one({"_id": 1})
    with client.start_session() as session:
        session.start_transaction()
        database.items.insert_one({"_id": 2}, session=session)
        with pytest.raises(DuplicateKeyError):
            database.items.insert_one({"_id": 1}, session=session)
        with pytest.raises(OperationFailure) as caught:
            database.items.insert_one({"_id": 3}, session=session)
        assert caught.value.code == 251
        assert caught.value.has_error_label("TransientTransactionError")
        session.abort_transaction()
    assert database.items.count_documents({}) == 1


def test_conflicts_are_found_at_once(client, database):
    database.items.insert_one({"_id": 1})
    with client.start_session() as first, client.start_session() as second:
        first.start_transaction()
        second.start_transaction()
        database.items.update_one({"_id": 1}, {"$set": {"by": 1}}, session=first)
        with pytest.raises(OperationFailure) as caught:
            database.items.update_one({"_id": 1}, {"$set": {"by": 2}}, session=second)
        assert caught.value.code == 112
        assert caught.value.has_error_label("TransientTransactionError")
        first.commit_transaction()
    assert database.items.find_one()["by"] == 1


def test_two_transactions_that_insert_one_id_do_not_hang(client, database):
    database.create_collection("items")
    with client.start_session() as first, client.start_session() as second:
        first.start_transaction()
        second.start_transaction()
        database.items.insert_one({"_id": 1}, session=first)
        with pytest.raises(OperationFailure) as caught:
            database.items.insert_one({"_id": 1}, session=second)
        assert caught.value.has_error_label("TransientTransactionError")
        first.commit_transaction()


def test_with_transaction_repeats_until_it_succeeds(client, database):
    database.items.insert_one({"_id": 1, "n": 0})

    def add(session):
        value = database.items.find_one({"_id": 1}, session=session)["n"]
        database.items.update_one({"_id": 1}, {"$set": {"n": value + 1}}, session=session)

    def work():
        for _ in range(5):
            with client.start_session() as session:
                session.with_transaction(add)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert database.items.find_one()["n"] == 20


def test_commit_again_is_no_error(client, database):
    database.create_collection("items")
    with client.start_session() as session:
        session.start_transaction()
        database.items.insert_one({"_id": 1}, session=session)
        session.commit_transaction()
        session.commit_transaction()


def test_commands_that_no_transaction_may_have(client, database):
    with client.start_session() as session:
        session.start_transaction()
        with pytest.raises(OperationFailure) as caught:
            database.command("collStats", "items", session=session)
        assert caught.value.code == 263


@pytest.fixture
def send(gateway, database):
    """Sends commands as they are, on a connection that need not authenticate."""
    connection = Connection(gateway(authentication=False).port)
    return lambda body, where=None: connection.command(where or database.name, body)


def new_session():
    return {"id": Binary(uuid.uuid4().bytes, 4)}


def test_a_write_that_comes_twice_happens_once(send, database):
    session = new_session()

    def twice(number, body):
        replies = [send({**body, "lsid": session, "txnNumber": Int64(number)}) for _ in range(3)]
        assert replies[0]["ok"] == 1 and replies[0] == replies[1] == replies[2]
        return replies[0]

    insert = {"insert": "items", "documents": [{"_id": 1}]}
    assert twice(1, insert)["n"] == 1
    update = {"update": "items", "updates": [{"q": {"_id": 1}, "u": {"$inc": {"n": 1}}}]}
    assert twice(2, update)["nModified"] == 1
    change = {"findAndModify": "items", "query": {"_id": 1}, "update": {"$inc": {"n": 1}}, "new": True}
    assert twice(3, change)["value"]["n"] == 2
    assert twice(4, {"insert": "items", "documents": [{"_id": n} for n in range(10, 20)]})["n"] == 10
    assert twice(5, {"delete": "items", "deletes": [{"q": {"_id": 10}, "limit": 1}]})["n"] == 1
    assert twice(6, insert)["writeErrors"][0]["code"] == 11000
    assert database.items.find_one({"_id": 1})["n"] == 2
    assert send({**insert, "lsid": session, "txnNumber": Int64(1)})["code"] == 225


def test_a_write_without_effect_may_come_again(send):
    session = {"lsid": new_session(), "txnNumber": Int64(1)}
    for _ in range(2):
        assert send({"insert": "items", "documents": "x", **session})["ok"] == 0
    assert send({"insert": "items", "documents": [{"_id": 1}], **session})["n"] == 1


def test_the_numbers_of_transactions(send, database):
    database.create_collection("items")
    session = new_session()

    def statement(number, document, **fields):
        common = {"lsid": session, "txnNumber": Int64(number), "autocommit": False}
        return send({"insert": "items", "documents": [document], **common, **fields})

    def end(command, number):
        return send({command: 1, "lsid": session, "txnNumber": Int64(number), "autocommit": False}, "admin")

    assert statement(1, {"_id": 1})["code"] == 251
    assert statement(1, {"_id": 1}, startTransaction=True)["ok"] == 1
    assert statement(1, {"_id": 2}, startTransaction=True)["code"] == 50911
    assert end("commitTransaction", 1)["ok"] == 1
    assert end("commitTransaction", 1)["ok"] == 1
    assert end("abortTransaction", 1)["code"] == 256
    assert statement(1, {"_id": 3})["code"] == 256
    assert statement(3, {"_id": 3}, startTransaction=True)["ok"] == 1
    assert statement(2, {"_id": 4}, startTransaction=True)["code"] == 225
    # The next one gives the one before up.
    assert statement(4, {"_id": 3}, startTransaction=True)["ok"] == 1
    assert end("commitTransaction", 3)["code"] == 225
    assert end("abortTransaction", 4)["ok"] == 1
    assert end("abortTransaction", 4)["code"] == 251
    assert end("commitTransaction", 4)["code"] == 251
    assert [item["_id"] for item in database.items.find()] == [1]


def test_a_commit_that_comes_again_while_it_is_under_way(gateway, database):
    """A driver whose connection was cut repeats it at once, and would do the whole transaction again if told that
    there is none."""
    database.create_collection("items")
    port = gateway(authentication=False).port
    connections = [Connection(port) for _ in range(4)]
    session = new_session()
    for number in range(1, 31):
        common = {"lsid": session, "txnNumber": Int64(number), "autocommit": False}
        statement = {"insert": "items", "documents": [{"_id": number}], "startTransaction": True, **common}
        assert connections[0].command(database.name, statement)["ok"] == 1
        for connection in connections:
            connection.send("admin", {"commitTransaction": 1, **common})
        assert [connection.receive()["ok"] for connection in connections] == [1, 1, 1, 1]
    assert database.items.count_documents({}) == 30


def test_writes_leave_the_engines_connections_as_they_were(gateway, database):
    """A connection that had to be reset after each would cost several round trips."""
    one = gateway()
    with pymongo.MongoClient(one.url()) as client:
        items = client[database.name].items
        before = client.admin.command("serverStatus")["engine"]
        for number in range(10):
            items.insert_one({"_id": number})
            items.find_one_and_update({"_id": number}, {"$set": {"n": number}})
        after = client.admin.command("serverStatus")["engine"]
        assert after["uses"] >= before["uses"] + 20
        assert after["resets"] == before["resets"]


def test_ending_a_session_rolls_its_transaction_back(send, database):
    database.create_collection("items")
    session = new_session()
    common = {"lsid": session, "txnNumber": Int64(1), "autocommit": False}
    assert send({"insert": "items", "documents": [{"_id": 1}], "startTransaction": True, **common})["ok"] == 1
    assert send({"endSessions": [session]}, "admin")["ok"] == 1
    assert send({"commitTransaction": 1, **common}, "admin")["code"] == 251
    # Its lock is free.
    database.items.insert_one({"_id": 1})


def test_records_outlive_the_gateway(gateway, database):
    """What was committed by a gateway that is gone is known to the one after it."""
    session = new_session()
    insert = {"insert": "items", "documents": [{"_id": 1}], "lsid": session, "txnNumber": Int64(1)}
    common = {"lsid": session, "txnNumber": Int64(2), "autocommit": False}
    commit = {"commitTransaction": 1, **common}

    def next_gateway():
        one = gateway(authentication=False)
        return one, Connection(one.port)

    def kill(one):
        one.process.kill()
        one.process.wait()

    first, connection = next_gateway()
    assert connection.command(database.name, insert)["n"] == 1
    kill(first)
    second, connection = next_gateway()
    assert connection.command(database.name, insert)["n"] == 1
    statement = {"insert": "items", "documents": [{"_id": 2}], "startTransaction": True, **common}
    assert connection.command(database.name, statement)["ok"] == 1
    assert connection.command("admin", commit)["ok"] == 1
    kill(second)
    _, connection = next_gateway()
    assert connection.command("admin", commit)["ok"] == 1
    assert connection.command("admin", {**commit, "txnNumber": Int64(3)})["code"] == 251
    assert database.items.count_documents({}) == 2


def test_transactions_that_last_too_long_are_ended(gateway, database):
    database.create_collection("items")
    one = gateway("--transaction-lifetime", "0.3")
    with pymongo.MongoClient(one.url()) as client:
        with client.start_session() as session:
            session.start_transaction()
            items = client[database.name].items
            items.insert_one({"_id": 1}, session=session)
            # Waits for the first one's lock, which is not free before its transaction has ended.
            insert = database.command("insert", "items", documents=[{"_id": 1}], maxTimeMS=60_000)
            assert insert["n"] == 1
            with pytest.raises(OperationFailure) as caught:
                session.commit_transaction()
            assert caught.value.code == 251
    assert database.items.count_documents({}) == 1


def test_a_lost_connection_is_made_good_by_the_driver(client, database):
    application = uuid.uuid4().hex
    with pymongo.MongoClient(URL, appname=application) as other:
        for name in ["insert", "update"]:
            other.admin.command(
                "configureFailPoint",
                "failCommand",
                mode={"times": 1},
                data={"failCommands": [name], "closeConnection": True, "appName": application},
            )
        other[database.name].items.insert_one({"_id": 1})
        other[database.name].items.update_one({"_id": 1}, {"$inc": {"n": 1}})
        assert other[database.name].items.find_one() == {"_id": 1, "n": 1}
        other.admin.command(
            "configureFailPoint",
            "failCommand",
            mode={"times": 2},
            data={"failCommands": ["insert"], "closeConnection": True, "appName": application},
        )
        with pytest.raises(AutoReconnect):
            other[database.name].items.insert_one({"_id": 2})
        assert other[database.name].items.count_documents({"_id": 2}) == 0
