"""Messages below the drivers: bytes."""

import socket
import struct

import bson


def message(body, flags=0, operation=2013, sections=b""):
    payload = struct.pack("<I", flags) + b"\0" + (body if isinstance(body, bytes) else bson.encode(body)) + sections
    return struct.pack("<iiii", 16 + len(payload), 7, 0, operation) + payload


def receive(connection):
    def exactly(count):
        data = b""
        while len(data) < count:
            part = connection.recv(count - len(data))
            if not part:
                return None
            data += part
        return data

    header = exactly(16)
    if header is None:
        return None
    length, _, to, operation = struct.unpack("<iiii", header)
    rest = exactly(length - 16)
    return to, operation, bson.decode(rest[5:] if operation == 2013 else rest[20:])


class Connection:
    """A connection that sends commands as they are; a driver would add fields of its own."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)

    def send(self, database, body):
        self.socket.sendall(message({**body, "$db": database}))

    def receive(self):
        return receive(self.socket)[2]

    def command(self, database, body):
        self.send(database, body)
        return self.receive()
