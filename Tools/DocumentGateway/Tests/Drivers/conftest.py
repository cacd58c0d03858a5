"""What the driver tests share: the endpoint, databases of their own, and private gateways."""

import contextlib
import os
import subprocess
import urllib.parse
import uuid

import pymongo
import pytest

URL = os.environ["MONGO_URL"]
ENGINE = os.environ.get("DOCUMENT_ENGINE")
PROGRAM = os.environ.get("GATEWAY_PROGRAM")


@pytest.fixture(scope="session")
def client():
    with pymongo.MongoClient(URL) as client:
        yield client


@pytest.fixture
def database(client):
    name = "drivers_" + uuid.uuid4().hex[:12]
    yield client[name]
    client.drop_database(name)


@pytest.fixture
def address():
    parts = urllib.parse.urlsplit(URL)
    return parts.hostname, parts.port or 27017


class Gateway:
    """A gateway of a test's own, in front of the same engine."""

    def __init__(self, *arguments, authentication=True, engine=ENGINE):
        self.password = uuid.uuid4().hex
        self.user = "gateway_" + uuid.uuid4().hex[:8]
        command = [PROGRAM, "--engine", engine, "--port", "0", "--admin-user", self.user, *arguments]
        if not authentication:
            command.append("--no-authentication")
        self.authentication = authentication
        self.process = subprocess.Popen(
            command,
            env={**os.environ, "GATEWAY_ADMIN_PASSWORD": self.password},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), "the gateway did not start"
        self.port = int(line.split()[-1])

    def url(self, **options):
        who = f"{self.user}:{self.password}@" if self.authentication else ""
        options = {"directConnection": "true", **options}
        return f"mongodb://{who}127.0.0.1:{self.port}/?" + urllib.parse.urlencode(options)

    def end(self, remove_user=True):
        if self.authentication and remove_user and self.process.poll() is None:
            with contextlib.suppress(pymongo.errors.PyMongoError):
                with pymongo.MongoClient(URL) as client:
                    client.admin.command("dropUser", self.user)
        self.process.terminate()
        self.process.wait(timeout=60)


@pytest.fixture
def gateway():
    """Starts private gateways; all end with the test."""
    if not ENGINE or not PROGRAM:
        pytest.skip("the endpoint is no gateway of ours")
    started = []

    def start(*arguments, **options):
        started.append(Gateway(*arguments, **options))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.end()
