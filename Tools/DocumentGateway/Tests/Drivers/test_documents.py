"""CRUD, cursors, bulk writes, indexes and aggregation, with the errors that drivers expect."""

import threading
import uuid

import pymongo
import pytest
from bson import ObjectId
from conftest import URL
from pymongo import DeleteOne, InsertOne, ReplaceOne, UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError, ExecutionTimeout, OperationFailure


def test_crud(database):
    items = database.items
    assert items.insert_one({"_id": 1, "a": 1}).acknowledged
    assert items.find_one({"_id": 1}) == {"_id": 1, "a": 1}
    assert items.update_one({"_id": 1}, {"$inc": {"a": 5}}).modified_count == 1
    assert items.replace_one({"_id": 2}, {"b": 1}, upsert=True).upserted_id == 2
    assert items.find_one_and_update({"_id": 1}, {"$set": {"c": True}}, return_document=True)["c"] is True
    assert items.find_one_and_delete({"_id": 2}) == {"_id": 2, "b": 1}
    assert items.count_documents({}) == 1
    assert items.estimated_document_count() >= 0
    assert items.distinct("a") == [6]
    assert items.delete_many({}).deleted_count == 1


def test_a_database_and_a_collection_as_the_library_names_them(database):
    name = f"{uuid.uuid4()}/{uuid.uuid4()}"
    database[name].insert_one({"_id": 1})
    assert name in database.list_collection_names()
    assert database[name].find_one() == {"_id": 1}


@pytest.mark.parametrize("sort", [None, [("n", -1)]])
def test_cursors_hold_every_document_once(database, sort):
    database.items.insert_many([{"_id": n, "n": n} for n in range(500)])
    cursor = database.items.find(batch_size=37)
    if sort:
        cursor = cursor.sort(sort)
    assert sorted(item["n"] for item in cursor) == list(range(500))


def test_a_cursor_that_was_killed_answers_43(database):
    database.items.insert_many([{} for _ in range(50)])
    cursor = database.items.find(batch_size=10)
    next(cursor)
    reply = database.command("killCursors", "items", cursors=[cursor.cursor_id, 12345])
    assert reply["cursorsKilled"] == [cursor.cursor_id]
    assert reply["cursorsNotFound"] == [12345]
    with pytest.raises(OperationFailure) as caught:
        list(cursor)
    assert caught.value.code == 43


def test_a_cursor_belongs_to_its_collection(database):
    database.items.insert_many([{} for _ in range(50)])
    cursor = database.items.find(batch_size=10)
    next(cursor)
    with pytest.raises(OperationFailure) as caught:
        database.command("getMore", cursor.cursor_id, collection="others")
    assert caught.value.code == 13


def test_duplicate_keys_say_which(database):
    items = database.items
    items.create_index([("a.b", 1), ("c", -1)], unique=True, name="pair")
    items.insert_one({"_id": 1, "a": {"b": "x"}, "c": 2})
    with pytest.raises(DuplicateKeyError) as caught:
        items.insert_one({"_id": 1})
    assert caught.value.details["keyPattern"] == {"_id": 1}
    assert caught.value.details["keyValue"] == {"_id": 1}
    assert caught.value.details["errmsg"] == (
        f"E11000 duplicate key error collection: {database.name}.items index: _id_ dup key: {{ _id: 1 }}"
    )
    attempts = [
        lambda: items.insert_one({"a": {"b": "x"}, "c": 2}),
        lambda: items.update_one({"_id": 9}, {"$set": {"a.b": "x", "c": 2}}, upsert=True),
        lambda: items.find_one_and_replace({"_id": 9}, {"a": {"b": "x"}, "c": 2}, upsert=True),
    ]
    for attempt in attempts:
        with pytest.raises(DuplicateKeyError) as caught:
            attempt()
        assert caught.value.code == 11000
        assert caught.value.details["keyPattern"] == {"a.b": 1, "c": -1}
        assert caught.value.details["keyValue"] == {"a.b": "x", "c": 2}
        assert "index: pair" in caught.value.details["errmsg"]


def test_an_index_that_the_documents_refuse(database):
    database.items.insert_many([{"a": 1}, {"a": 1}])
    with pytest.raises(DuplicateKeyError):
        database.items.create_index("a", unique=True)
    assert list(database.items.index_information()) == ["_id_"]


def test_bulk_writes_report_each_error(database):
    database.items.insert_one({"_id": 1})
    with pytest.raises(BulkWriteError) as caught:
        database.items.bulk_write(
            [
                InsertOne({"_id": 2}),
                InsertOne({"_id": 1}),
                UpdateOne({"_id": 2}, {"$set": {"n": 1}}),
                ReplaceOne({"_id": 3}, {"n": 2}, upsert=True),
                InsertOne({"_id": 1}),
                DeleteOne({"_id": 2}),
            ],
            ordered=False,
        )
    details = caught.value.details
    assert [error["index"] for error in details["writeErrors"]] == [1, 4]
    assert {error["code"] for error in details["writeErrors"]} == {11000}
    assert (details["nInserted"], details["nUpserted"], details["nRemoved"]) == (1, 1, 1)
    with pytest.raises(BulkWriteError) as caught:
        database.items.insert_many([{"_id": 10}, {"_id": 1}, {"_id": 11}])
    assert caught.value.details["nInserted"] == 1
    assert database.items.count_documents({"_id": 11}) == 0


def test_indexes(database):
    items = database.items
    items.create_index([("a", 1), ("b", -1)], name="ab", partialFilterExpression={"a": {"$gt": 1}})
    items.create_index("at", expireAfterSeconds=60)
    information = items.index_information()
    assert information["ab"]["key"] == [("a", 1), ("b", -1)]
    assert information["at_1"]["expireAfterSeconds"] == 60
    items.drop_index("ab")
    assert "ab" not in items.index_information()
    with pytest.raises(OperationFailure):
        items.drop_index("ab")
    items.drop_indexes()
    assert list(items.index_information()) == ["_id_"]


def test_aggregation(database):
    database.items.insert_many([{"kind": n % 3, "n": n} for n in range(30)])
    pipeline = [{"$group": {"_id": "$kind", "sum": {"$sum": "$n"}}}, {"$sort": {"_id": 1}}]
    assert [(row["_id"], row["sum"]) for row in database.items.aggregate(pipeline)] == [(0, 135), (1, 145), (2, 155)]
    with pytest.raises(OperationFailure) as caught:
        database.items.aggregate([{"$bogus": 1}])
    assert caught.value.code == 40324


def test_collections(database, client):
    database.create_collection("made")
    database.made.insert_one({"a": 1})
    database.made.rename("renamed")
    assert database.list_collection_names() == ["renamed"]
    assert database.name in client.list_database_names()
    assert database.command("collStats", "renamed")["ns"] == f"{database.name}.renamed"
    assert database.command("dbStats")["collections"] == 1
    assert database.validate_collection("renamed")["valid"]
    database.drop_collection("renamed")
    database.drop_collection("renamed")
    assert database.list_collection_names() == []


def test_time_limits_end_work_in_the_engine(database):
    """Two thousand documents, each joined with all, each of these with all: hours of work, on any machine."""
    database.items.insert_many([{"n": n} for n in range(2000)])
    inner = {
        "from": "items",
        "let": {"other": "$n"},
        "pipeline": [{"$match": {"$expr": {"$gt": ["$n", "$$other"]}}}, {"$count": "n"}],
        "as": "counts",
    }
    outer = {
        "from": "items",
        "let": {"this": "$n"},
        "pipeline": [{"$match": {"$expr": {"$ne": ["$n", "$$this"]}}}, {"$lookup": inner}, {"$count": "n"}],
        "as": "counts",
    }
    with pytest.raises(ExecutionTimeout) as caught:
        list(database.items.aggregate([{"$lookup": outer}, {"$count": "n"}], maxTimeMS=50))
    assert caught.value.code == 50
    # It would wait for hours if the engine were still at work.
    database.command("drop", "items", maxTimeMS=60_000)


def test_time_limits_end_the_wait_for_a_lock(client, database):
    database.items.insert_one({"_id": 1})
    with client.start_session() as session, session.start_transaction():
        database.items.update_one({"_id": 1}, {"$set": {"by": 1}}, session=session)
        update = {"q": {"_id": 1}, "u": {"$set": {"by": 2}}}
        with pytest.raises(ExecutionTimeout) as caught:
            database.command("update", "items", updates=[update], maxTimeMS=50)
        assert caught.value.code == 50
    assert database.items.find_one() == {"_id": 1, "by": 1}


def test_explain_tells_which_index(database):
    database.items.create_index("a")
    database.items.insert_many([{"a": n, "b": n} for n in range(100)])

    def plan(filter, verbosity="queryPlanner"):
        command = {"find": "items", "filter": filter}
        return database.command("explain", command, verbosity=verbosity)

    assert plan({"a": 5})["queryPlanner"]["winningPlan"]["inputStage"]["indexName"] == "a_1"
    assert plan({"_id": 5})["queryPlanner"]["winningPlan"]["inputStage"]["indexName"] == "_id_"
    assert plan({"b": 5})["queryPlanner"]["winningPlan"]["stage"] == "COLLSCAN"
    assert plan({"a": 5}, "executionStats")["executionStats"]["nReturned"] == 1
    with pytest.raises(OperationFailure):
        database.command("explain", {"ping": 1})


def test_updates_of_one_document_by_many_are_all_there(database):
    def work():
        for _ in range(25):
            database.items.update_one({"_id": 1}, {"$inc": {"n": 1}}, upsert=True)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert database.items.find_one()["n"] == 200


def test_large_batches_and_replies(database):
    megabyte = "x" * (1 << 20)
    database.items.insert_many([{"_id": n, "text": megabyte} for n in range(60)])
    assert sum(len(item["text"]) for item in database.items.find()) == 60 << 20
    with pytest.raises(pymongo.errors.DocumentTooLarge):
        database.items.insert_one({"text": "x" * (17 << 20)})


def test_unacknowledged_writes(database):
    with pymongo.MongoClient(URL, maxPoolSize=1) as single:
        items = single[database.name].items
        unacknowledged = items.with_options(write_concern=pymongo.WriteConcern(w=0))
        unacknowledged.insert_one({"_id": 1})
        # The next command on the one connection is answered after it.
        assert items.find_one() == {"_id": 1}


@pytest.mark.parametrize(
    "command, code",
    [
        ({"nonsense": 1}, 59),
        ({"find": 5}, None),
        ({"find": "items", "filter": {"$bad": 1}}, 2),
        ({"insert": "items", "documents": []}, None),
        ({"insert": "", "documents": [{}]}, 73),
        ({"getMore": "x", "collection": "items"}, 14),
        ({"getMore": 99, "collection": "items"}, 43),
        ({"aggregate": "items", "pipeline": [{"$changeStream": {}}], "cursor": {}}, 115),
        ({"create": "times", "timeseries": {"timeField": "t"}}, 115),
        ({"create": "few", "capped": True, "size": 1000}, 115),
        ({"find": "items", "maxTimeMS": -1}, 2),
        ({"commitTransaction": 1}, None),
        ({"bulkWrite": 1, "ops": [], "nsInfo": []}, 115),
    ],
)
def test_bad_commands_are_refused(database, command, code):
    with pytest.raises(OperationFailure) as caught:
        database.command(dict(command))
    if code:
        assert caught.value.code == code
    database.command("ping")


def test_object_ids_are_made(database):
    assert isinstance(database.items.insert_one({}).inserted_id, ObjectId)
