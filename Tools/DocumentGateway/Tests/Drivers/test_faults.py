"""What becomes of work when the engine is killed under load."""

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import pymongo
import pytest
from conftest import PROGRAM, Gateway

PROGRAMS = os.environ.get("ENGINE_PROGRAMS")


class Engine:
    """An engine of a test's own, so that it can be killed."""

    def __init__(self):
        # A short path, for the socket's address.
        self.folder = tempfile.mkdtemp(prefix="engine-", dir="/tmp")
        self.prefix = []
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
            user = ["--reuid=postgres", "--regid=postgres", "--init-groups", "--"]
            self.prefix = ["setpriv", *user]
        self.url = f"postgres://postgres@/postgres?host={self.folder}"
        self.run("initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync")
        libraries = "pg_cron,pg_documentdb_core,pg_documentdb,pg_documentdb_extended_rum"
        connection = f"host={self.folder} dbname=postgres user=postgres"
        settings = f"""
            listen_addresses = ''
            unix_socket_directories = '{self.folder}'
            fsync = off
            full_page_writes = off
            shared_preload_libraries = '{libraries}'
            cron.database_name = 'postgres'
            cron.host = '{self.folder}'
            documentdb.localhost_connection_string = '{connection}'
            """
        subprocess.run(
            [*self.prefix, "tee", "-a", f"{self.folder}/data/postgresql.conf"],
            input=settings, text=True, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        self.start()

    def run(self, program, *arguments):
        subprocess.run(
            [*self.prefix, f"{PROGRAMS}/{program}", "-D", f"{self.folder}/data", *arguments],
            cwd="/", check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120,
        )  # fmt: skip

    def start(self):
        deadline = time.monotonic() + 60
        while True:
            try:
                # What is left of the one before holds its memory until it has noticed.
                return self.run("pg_ctl", "start", "-w", "-s", "-l", f"{self.folder}/log")
            except subprocess.CalledProcessError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def kill(self):
        with open(f"{self.folder}/data/postmaster.pid") as file:
            os.kill(int(file.readline()), signal.SIGKILL)

    def remove(self):
        self.run("pg_ctl", "stop", "-m", "immediate", "-s")
        shutil.rmtree(self.folder)


@pytest.fixture(scope="module")
def engine():
    if not PROGRAMS or not PROGRAM:
        pytest.skip("the engine's programs are not known")
    engine = Engine()
    yield engine
    engine.remove()


class Load:
    """Clients that write all the time, and know what was acknowledged."""

    def __init__(self, client):
        self.items, self.counters, self.pairs = client.load.items, client.load.counters, client.load.pairs
        for collection in (self.items, self.counters, self.pairs):
            client.load.create_collection(collection.name)
        self.client = client
        self.acknowledged, self.pairs_acknowledged, self.duplicates = [], [], []
        self.counted, self.unknown = [0] * 4, [0] * 4
        self.ends = False
        self.threads = [threading.Thread(target=self.work, args=(number,)) for number in range(4)]
        for number, thread in enumerate(self.threads):
            self.counters.insert_one({"_id": number, "n": 0})
            thread.start()

    def work(self, number):
        count = 0
        while not self.ends:
            count += 1
            name = f"{number}-{count}"
            try:
                self.items.insert_one({"_id": name})
                self.acknowledged.append(name)
            except pymongo.errors.DuplicateKeyError:
                self.duplicates.append(name)
            except pymongo.errors.PyMongoError:
                pass
            try:
                self.counters.update_one({"_id": number}, {"$inc": {"n": 1}})
                self.counted[number] += 1
            except pymongo.errors.PyMongoError:
                self.unknown[number] += 1
            try:
                with self.client.start_session() as session:
                    session.with_transaction(lambda session: self.pair(name, session))
                self.pairs_acknowledged.append(name)
            except pymongo.errors.PyMongoError:
                pass

    def pair(self, name, session):
        self.pairs.insert_one({"_id": f"{name}a"}, session=session)
        self.pairs.insert_one({"_id": f"{name}b"}, session=session)

    def wait_for(self, more):
        target = len(self.pairs_acknowledged) + more
        deadline = time.monotonic() + 180
        while len(self.pairs_acknowledged) < target:
            assert time.monotonic() < deadline, "the clients came to a halt"
            time.sleep(0.01)

    def end(self):
        self.ends = True
        for thread in self.threads:
            thread.join(180)
            assert not thread.is_alive(), "a client hangs"


def test_what_was_acknowledged_is_there_once(engine):
    gateway = Gateway(authentication=False, engine=engine.url)
    try:
        with pymongo.MongoClient(gateway.url(), socketTimeoutMS=60_000, serverSelectionTimeoutMS=60_000) as client:
            load = Load(client)
            try:
                for _ in range(3):
                    load.wait_for(100)
                    engine.kill()
                    engine.start()
                load.wait_for(100)
            finally:
                load.end()
            items = {item["_id"] for item in load.items.find()}
            assert set(load.acknowledged) <= items
            assert load.duplicates == []
            for number in range(4):
                counted = load.counters.find_one({"_id": number})["n"]
                assert load.counted[number] <= counted <= load.counted[number] + load.unknown[number]
            pairs = {item["_id"] for item in load.pairs.find()}
            assert {f"{name}{part}" for name in load.pairs_acknowledged for part in "ab"} <= pairs
            assert {name[:-1] for name in pairs if name.endswith("a")} == {
                name[:-1] for name in pairs if name.endswith("b")
            }
    finally:
        gateway.end(remove_user=False)
