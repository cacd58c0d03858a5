"""The workloads of documents on pymongo: a thread for each connection, as its users run it; documents become dicts."""

import argparse
import datetime
import os
import threading
import time
import uuid

import bson
import pymongo
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions

from peer import Measurement

DOCUMENTS = 100_000
OF_BULK = 1000
CREATED = datetime.datetime.fromtimestamp(1753705096, datetime.timezone.utc)
TENANT = uuid.UUID(bytes=bytes(range(1, 17)))


def fields(number):
    return {
        "_id": bson.ObjectId(),
        "name": "Ada Augusta King, Countess of Lovelace",
        "email": "ada.lovelace@analytical.example",
        "status": "active",
        "age": 36,
        "visits": bson.Int64(number),
        "score": 0.75,
        "active": True,
        "created": CREATED,
        "tenant": TENANT,
    }


def operation(workload, database, worker, workers):
    """A function that does one operation on a row."""
    items, inserts = database["items"], database["inserts"]
    if workload == "insert":
        return lambda row: inserts.insert_one(fields(row))
    if workload == "find":
        return lambda row: items.find_one({"_id": row})["name"]
    if workload == "update":
        return lambda row: items.update_one({"_id": row}, {"$inc": {"visits": 1}})
    if workload == "bulk":
        return lambda row: inserts.bulk_write([pymongo.InsertOne(fields(i)) for i in range(OF_BULK)])
    first, last = (1 + DOCUMENTS * i // workers for i in [worker, worker + 1])

    def scan(row):
        found = sum(1 for _ in items.find({"_id": {"$gte": first, "$lt": last}}, batch_size=1000))
        assert found == last - first

    return scan


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--workload", choices=["insert", "find", "update", "bulk", "scan"], required=True)
    parser.add_argument("--connections", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    options = parser.parse_args()
    workers = options.connections
    client = pymongo.MongoClient(os.environ["BENCHMARK_URL"], maxPoolSize=workers)
    codec = CodecOptions(uuid_representation=UuidRepresentation.STANDARD)
    database = client.get_database(os.environ["BENCHMARK_DATABASE"], codec_options=codec)
    measurement = Measurement(options.seconds)
    latencies = [[] for _ in range(workers)]
    ready, start = (threading.Barrier(workers + 1, timeout=60) for _ in range(2))

    def work(worker):
        operate = operation(options.workload, database, worker, workers)
        row = worker * 577 + 1
        for _ in range(1 if options.workload in ["bulk", "scan"] else 20):
            operate(row)
        ready.wait()
        start.wait()
        end = measurement.started + options.seconds
        before = time.perf_counter()
        while before < end:
            row = row * 7919 % 99991 + 1
            operate(row)
            now = time.perf_counter()
            latencies[worker].append(now - before)
            before = now

    threads = [threading.Thread(target=work, args=[worker]) for worker in range(workers)]
    for thread in threads:
        thread.start()
    ready.wait()
    measurement.begin()
    start.wait()
    for thread in threads:
        thread.join()
    measurement.stop()
    measurement.latencies = [latency for each in latencies for latency in each]
    measurement.report()
    client.close()


main()
