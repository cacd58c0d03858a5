"""Authentication, roles, TLS, fail points, and what hostile clients get."""

import os
import socket
import stat
import struct
import subprocess
import time
import urllib.parse
import uuid

import bson
import pymongo
import pytest
from conftest import URL
from pymongo.errors import OperationFailure, ServerSelectionTimeoutError
from wire import Connection, message, receive


@pytest.fixture
def users(client, database, address):
    names = []

    def make(role, where=None):
        name = f"{role}_{uuid.uuid4().hex[:8]}"
        names.append(name)
        client[database.name].command(
            "createUser", name, pwd="p=a,ss", roles=[{"role": role, "db": where or database.name}]
        )
        return pymongo.MongoClient(
            *address, username=name, password="p=a,ss", authSource=database.name, serverSelectionTimeoutMS=60_000
        )

    yield make
    for name in names:
        client[database.name].command("dropUser", name)


def refused(action):
    with pytest.raises(OperationFailure) as caught:
        action()
    return caught.value.code


def test_roles(users, client, database):
    database.items.insert_one({"_id": 1})
    with users("read") as reader:
        mine = reader[database.name]
        assert mine.items.find_one() == {"_id": 1}
        assert reader.list_database_names() == [database.name]
        assert refused(lambda: mine.items.insert_one({})) == 13
        assert refused(lambda: mine.items.create_index("a")) == 13
        assert refused(lambda: list(mine.items.aggregate([{"$out": "other"}]))) == 13
        assert refused(lambda: reader.other.items.find_one()) == 13
        assert refused(lambda: mine.command("dropDatabase")) == 13
        assert refused(lambda: reader.admin.command("serverStatus")) == 13
        assert refused(lambda: mine.command("createUser", "x", pwd="x", roles=[])) == 13
    with users("readWrite") as writer:
        mine = writer[database.name]
        mine.items.insert_one({"_id": 2})
        mine.items.create_index("a")
        assert refused(lambda: writer.other.items.insert_one({})) == 13
        assert refused(lambda: mine.command("dropDatabase")) == 13
    with users("root", "admin") as administrator:
        administrator.other.items.find_one()
        administrator.admin.command("serverStatus")


def test_roles_can_be_changed(client, database, address):
    name = "changed_" + uuid.uuid4().hex[:8]
    database.command("createUser", name, pwd="one", roles=["read"])
    try:
        assert refused(lambda: database.command("createUser", name, pwd="one", roles=[])) == 51003
        assert refused(lambda: database.command("createUser", name + "x", pwd="one", roles=["nonsense"])) == 31
        database.command("grantRolesToUser", name, roles=["readWrite"])
        database.command("updateUser", name, pwd="two")
        [user] = database.command("usersInfo", name)["users"]
        assert [role["role"] for role in user["roles"]] == ["read", "readWrite"]
        options = {"username": name, "authSource": database.name, "serverSelectionTimeoutMS": 60_000}
        with pymongo.MongoClient(*address, password="two", **options) as changed:
            changed[database.name].items.insert_one({})
        with pymongo.MongoClient(*address, password="one", **options) as changed:
            assert refused(lambda: changed[database.name].items.find_one()) == 18
    finally:
        database.command("dropUser", name)
    assert refused(lambda: database.command("dropUser", name)) == 11


def test_strangers(address, database):
    with pymongo.MongoClient(*address) as stranger:
        assert stranger.admin.command("ping")["ok"] == 1
        assert refused(lambda: stranger[database.name].items.find_one()) == 13
        assert stranger.admin.command("connectionStatus")["authInfo"]["authenticatedUsers"] == []
    for user in ["admin", "nobody"]:
        with pymongo.MongoClient(*address, username=user, password="wrong") as stranger:
            assert refused(lambda: stranger[database.name].items.find_one()) == 18
    with pymongo.MongoClient(*address, username="admin", password="x", authMechanism="SCRAM-SHA-1") as stranger:
        assert refused(lambda: stranger[database.name].items.find_one()) == 334


def test_clients_that_would_compress_go_without(database):
    with pymongo.MongoClient(URL, compressors="zlib") as compressing:
        hello = compressing.admin.command("hello", compression=["zlib", "snappy", "zstd"])
        assert hello["ok"] == 1 and "compression" not in hello
        compressing[database.name].items.insert_one({"text": "x" * 100_000})
        assert len(compressing[database.name].items.find_one()["text"]) == 100_000


def test_fail_points(database):
    application = uuid.uuid4().hex
    with pymongo.MongoClient(URL, appname=application, retryReads=False) as other:

        def fail(mode, **data):
            other.admin.command(
                "configureFailPoint",
                "failCommand",
                mode=mode,
                data={"failCommands": ["find", "insert"], "appName": application, **data},
            )

        items = other[database.name].items
        fail({"times": 2}, errorCode=8000, errorLabels=["Mine"])
        for _ in range(2):
            with pytest.raises(OperationFailure) as caught:
                items.find_one()
            assert caught.value.code == 8000 and caught.value.has_error_label("Mine")
        assert items.find_one() is None
        fail({"skip": 1}, errorCode=8000)
        assert items.find_one() is None
        assert refused(items.find_one) == 8000
        fail("off")
        assert items.find_one() is None
        fail({"times": 1}, writeConcernError={"code": 64, "errmsg": "waiting"})
        with pytest.raises(pymongo.errors.WriteConcernError):
            items.insert_one({"_id": 1})
        assert items.find_one() == {"_id": 1}
        fail({"times": 1}, blockConnection=True, blockTimeMS=200)
        before = time.monotonic()
        items.find_one()
        assert time.monotonic() - before >= 0.2
        assert refused(lambda: other.admin.command("configureFailPoint", "other", mode="off")) == 2
        assert refused(lambda: fail("sometimes")) == 2


@pytest.fixture
def certificates(tmp_path):
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, cwd=tmp_path, capture_output=True)

    openssl(
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
        "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=authority",
    )  # fmt: skip
    for name in ["server", "client"]:
        (tmp_path / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
        openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}",
        )  # fmt: skip
        openssl(
            "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", "2", "-extfile", "names", "-out", f"{name}.pem",
        )  # fmt: skip
    (tmp_path / "both.pem").write_text((tmp_path / "client.pem").read_text() + (tmp_path / "client.key").read_text())
    return tmp_path


def test_tls(gateway, certificates, database):
    arguments = ["--tls-certificate", certificates / "server.pem", "--tls-key", certificates / "server.key"]
    one = gateway(*map(str, arguments))
    with pymongo.MongoClient(one.url(), tls=True, tlsCAFile=str(certificates / "ca.pem")) as client:
        client[database.name].items.insert_one({"text": "x" * 3_000_000})
        assert len(client[database.name].items.find_one()["text"]) == 3_000_000
    with pytest.raises(ServerSelectionTimeoutError):
        pymongo.MongoClient(one.url(), serverSelectionTimeoutMS=1000).admin.command("ping")
    other = gateway(*map(str, arguments), "--tls-client-authority", str(certificates / "ca.pem"))
    options = {"tls": True, "tlsCAFile": str(certificates / "ca.pem")}
    with pymongo.MongoClient(other.url(), tlsCertificateKeyFile=str(certificates / "both.pem"), **options) as client:
        assert client.admin.command("ping")["ok"] == 1
    with pytest.raises(ServerSelectionTimeoutError):
        pymongo.MongoClient(other.url(), serverSelectionTimeoutMS=1000, **options).admin.command("ping")


# Below the driver: bytes.


@pytest.fixture
def connect(address):
    opened = []

    def open(to=address):
        connection = socket.create_connection(to, timeout=60)
        opened.append(connection)
        return connection

    yield open
    for connection in opened:
        connection.close()


def test_old_handshakes(connect):
    connection = connect()
    query = struct.pack("<i", 0) + b"admin.$cmd\0" + struct.pack("<ii", 0, -1) + bson.encode({"isMaster": 1})
    connection.sendall(struct.pack("<iiii", 16 + len(query), 9, 0, 2004) + query)
    to, operation, reply = receive(connection)
    assert (to, operation) == (9, 1)
    assert reply["ismaster"] and reply["maxWireVersion"] == 21 and reply["setName"]
    assert reply["maxBsonObjectSize"] == 16_777_216 and reply["maxMessageSizeBytes"] == 48_000_000
    assert "topologyVersion" not in reply


def test_messages_in_pieces_and_together(connect):
    connection = connect()
    ping = message({"ping": 1, "$db": "admin"})
    for byte in ping:
        connection.sendall(bytes([byte]))
    assert receive(connection)[2]["ok"] == 1
    connection.sendall(ping * 50)
    assert all(receive(connection)[2]["ok"] == 1 for _ in range(50))


def crc32c(data):
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


def test_checksums(connect):
    body = bson.encode({"ping": 1, "$db": "admin"})
    payload = struct.pack("<iiiiI", 16 + 4 + 1 + len(body) + 4, 7, 0, 2013, 1) + b"\0" + body
    connection = connect()
    connection.sendall(payload + struct.pack("<I", crc32c(payload)))
    assert receive(connection)[2]["ok"] == 1
    connection.sendall(payload + struct.pack("<I", crc32c(payload) ^ 1))
    assert receive(connection) is None


def test_more_to_come_is_not_answered(connect):
    connection = connect()
    connection.sendall(message({"ping": 1, "$db": "admin"}, flags=2) + message({"whatsmyuri": 1, "$db": "admin"}))
    assert "you" in receive(connection)[2]


DOCUMENT = bson.encode({"ping": 1, "$db": "admin"})
BROKEN = {
    "a negative length": struct.pack("<iiii", -5, 1, 0, 2013),
    "a length below the header's": struct.pack("<iiii", 15, 1, 0, 2013),
    "a length above the limit": struct.pack("<iiii", 48_000_001, 1, 0, 2013),
    "the largest length": struct.pack("<iiii", 2**31 - 1, 1, 0, 2013),
    "an unknown operation": message({"ping": 1}, operation=2006),
    "a compressed message": message({"ping": 1}, operation=2012),
    "no body": struct.pack("<iiiiI", 20, 1, 0, 2013, 0),
    "an unknown flag": message({"ping": 1, "$db": "admin"}, flags=1 << 5),
    "an unknown section": message(DOCUMENT, sections=b"\7"),
    "two bodies": message(DOCUMENT, sections=b"\0" + DOCUMENT),
    "a document that is too long": message(struct.pack("<i", 500) + DOCUMENT[4:]),
    "a document that is too short": message(struct.pack("<i", 4) + DOCUMENT[4:]),
    "a document without an end": message(DOCUMENT[:-1] + b"\1"),
    "a sequence that is too long": message(DOCUMENT, sections=b"\1" + struct.pack("<i", 900) + b"documents\0"),
    "a sequence without a name": message(DOCUMENT, sections=b"\1" + struct.pack("<i", 8) + b"docu"),
    "a sequence of garbage": message(DOCUMENT, sections=b"\1" + struct.pack("<i", 18) + b"documents\0" + b"\xff" * 4),
    "text for another protocol": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
}


@pytest.mark.parametrize("what", list(BROKEN))
def test_broken_messages_close_the_connection_alone(connect, what):
    connection = connect()
    connection.sendall(BROKEN[what])
    assert receive(connection) is None
    other = connect()
    other.sendall(message({"ping": 1, "$db": "admin"}))
    assert receive(other)[2]["ok"] == 1


@pytest.mark.parametrize(
    "body",
    [
        b"\5\0\0\0\0",
        {"ping": 1},
        {"ping": 1, "$db": 5},
        {"ping": 1, "$db": "admin", "lsid": 5},
        {"ping": 1, "$db": "admin", "lsid": {"id": bson.Binary(b"short", 4)}},
        {"ping": 1, "$db": "admin", "txnNumber": bson.Int64(1)},
        {"ping": 1, "$db": "admin", "autocommit": False},
        {"ping": 1, "$db": "admin", "maxTimeMS": "long"},
        {"saslStart": 1, "$db": "admin", "mechanism": "SCRAM-SHA-256", "payload": b"nonsense"},
        {"saslStart": 1, "$db": "admin", "mechanism": "SCRAM-SHA-256", "payload": b"n,,n=,r="},
        {"saslStart": 1, "$db": "admin", "mechanism": "SCRAM-SHA-256", "payload": 5},
        {"saslContinue": 1, "$db": "admin", "conversationId": 1, "payload": b"c=biws,r=x,p=y"},
        struct.pack("<i", 21) + b"\2ping\0" + struct.pack("<i", 90) + b"a\0\0\0\0\0\0",
    ],
)
def test_bad_commands_get_an_error(connect, body):
    connection = connect()
    connection.sendall(message(body))
    reply = receive(connection)[2]
    assert reply["ok"] == 0 and reply["code"] > 0 and reply["codeName"]
    connection.sendall(message({"ping": 1, "$db": "admin"}))
    assert receive(connection)[2]["ok"] == 1


def test_random_bytes_end_nobody_else(connect):
    import random

    random.seed(20)
    good = message({"hello": 1, "$db": "admin", "client": {"application": {"name": "x"}}})
    for _ in range(200):
        broken = bytearray(good)
        for _ in range(random.randint(1, 8)):
            broken[random.randrange(4, len(broken))] = random.randrange(256)
        connection = connect()
        connection.sendall(bytes(broken))
        connection.shutdown(socket.SHUT_WR)
        receive(connection)
        connection.close()
    connection = connect()
    connection.sendall(good)
    assert receive(connection)[2]["ok"] == 1


def test_slow_messages_are_given_up(gateway, connect):
    one = gateway("--message-timeout", "0.2")
    connection = connect(("127.0.0.1", one.port))
    connection.sendall(message({"ping": 1, "$db": "admin"})[:-3])
    assert receive(connection) is None
    # Waiting between messages is nobody's fault.
    connection = connect(("127.0.0.1", one.port))
    time.sleep(0.5)
    connection.sendall(message({"ping": 1, "$db": "admin"}))
    assert receive(connection)[2]["ok"] == 1


def test_a_client_that_never_pauses_is_served_on(gateway, connect):
    one = gateway("--message-timeout", "2")
    connection = connect(("127.0.0.1", one.port))
    ping = message({"ping": 1, "$db": "admin"})
    connection.sendall(ping[:10])
    end = time.monotonic() + 4
    while time.monotonic() < end:
        # The rest of one message together with the beginning of the next: there is always one that is not complete.
        connection.sendall(ping[10:] + ping[:10])
        assert receive(connection)[2]["ok"] == 1
        time.sleep(0.02)
    # The last one's rest never comes.
    assert receive(connection) is None


def test_clients_on_the_same_machine_can_use_a_socket_file(gateway, database, tmp_path):
    path = str(tmp_path / "mongodb.sock")

    def serves():
        url = f"mongodb://{urllib.parse.quote(path, safe=str())}/?directConnection=true"
        with pymongo.MongoClient(url) as client:
            client[database.name].items.insert_one({})
            return client[database.name].items.count_documents({})

    one = gateway("--socket", path, authentication=False)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o700
    assert serves() == 1
    with pytest.raises(AssertionError, match="did not start"):
        gateway("--socket", path, authentication=False)
    assert serves() == 2
    one.process.kill()
    one.process.wait()
    # What a gateway has left behind that was killed.
    assert os.path.exists(path)
    other = gateway("--socket", path, authentication=False)
    assert serves() == 3
    other.end()
    assert not os.path.exists(path)
    with open(path, "w") as file:
        file.write("something else")
    with pytest.raises(AssertionError, match="did not start"):
        gateway("--socket", path, authentication=False)
    with open(path) as file:
        assert file.read() == "something else"


def test_a_client_that_does_not_read_is_not_served_on(gateway, database):
    database.items.insert_one({"text": "x" * 4_000_000})
    one = gateway(authentication=False)
    connection = Connection(one.port)
    find = message({"find": "items", "$db": database.name})
    connection.socket.sendall(find * 200)
    # By the time that another client has read as much, the replies would have piled up.
    other = Connection(one.port)
    for _ in range(100):
        assert other.command(database.name, {"find": "items"})["ok"] == 1
    with open(f"/proc/{one.process.pid}/status") as status:
        [resident] = [int(line.split()[1]) for line in status if line.startswith("VmRSS")]
    assert resident < 300_000
    for _ in range(200):
        assert len(receive(connection.socket)[2]["cursor"]["firstBatch"][0]["text"]) == 4_000_000


@pytest.mark.parametrize("how", ["closed", "reset"])
def test_clients_that_go_away_before_their_replies_leave_nothing(gateway, database, how):
    database.items.insert_one({"text": "x" * 4_000_000})
    one = gateway(authentication=False)
    watcher = Connection(one.port)
    gone = Connection(one.port)
    gone.socket.sendall(message({"find": "items", "$db": database.name}) * 20)
    # The first bytes of a reply: the rest waits for room in the socket, and the other commands for the rest.
    assert gone.socket.recv(16)
    if how == "reset":
        gone.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    gone.socket.close()
    deadline = time.monotonic() + 60
    while watcher.command("admin", {"serverStatus": 1})["connections"]["current"] > 1:
        assert time.monotonic() < deadline, "the connection is still there"
        time.sleep(0.01)

    def processor_seconds():
        with open(f"/proc/{one.process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    # Nobody asks for anything, so nothing is done.
    before = processor_seconds()
    time.sleep(1)
    assert processor_seconds() - before < 0.3
    assert watcher.command("admin", {"ping": 1})["ok"] == 1


def test_the_end_of_a_clients_requests_ends_its_connection(connect):
    connection = connect()
    connection.sendall(message({"ping": 1, "$db": "admin"}))
    assert receive(connection)[2]["ok"] == 1
    connection.shutdown(socket.SHUT_WR)
    assert receive(connection) is None


def test_strangers_cannot_send_much(connect):
    connection = connect()
    connection.sendall(struct.pack("<iiii", 1_000_001, 1, 0, 2013))
    assert receive(connection) is None


def test_too_many_connections_are_refused(gateway, connect):
    one = gateway("--maximum-connections", "3")
    held = []
    for _ in range(3):
        connection = connect(("127.0.0.1", one.port))
        connection.sendall(message({"ping": 1, "$db": "admin"}))
        assert receive(connection)[2]["ok"] == 1
        held.append(connection)
    with pytest.raises((OSError, AssertionError)):
        connection = connect(("127.0.0.1", one.port))
        connection.sendall(message({"ping": 1, "$db": "admin"}))
        assert receive(connection) is not None
    held.pop().close()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        connection = connect(("127.0.0.1", one.port))
        try:
            connection.sendall(message({"ping": 1, "$db": "admin"}))
            if receive(connection):
                break
        except OSError:
            pass
    else:
        pytest.fail("the place was not given on")


def test_shutdown_lets_commands_end(gateway, database):
    one = gateway("--fail-points", "--shutdown-timeout", "60", authentication=False)
    connection = Connection(one.port)
    block = {"failCommands": ["insert"], "blockConnection": True, "blockTimeMS": 500}
    assert connection.command("admin", {"configureFailPoint": "failCommand", "mode": {"times": 1}, "data": block})["ok"]
    insert = {"insert": "items", "documents": [{"_id": 1}], "$db": database.name}
    # One read takes both messages: when the first is answered, the second is being worked on.
    connection.socket.sendall(message({"ping": 1, "$db": "admin"}) + message(insert))
    assert receive(connection.socket)[2]["ok"] == 1
    one.process.terminate()
    assert receive(connection.socket)[2]["n"] == 1
    assert receive(connection.socket) is None
    assert one.process.wait(timeout=60) == 0
    assert database.items.count_documents({}) == 1
