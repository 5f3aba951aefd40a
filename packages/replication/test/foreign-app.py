"""An application of another language: does what it is told, line by line, with its own SQLite."""

import json
import sqlite3
import sys

connections = {}


def fill(connection, table, rows, size):
    for number in range(rows):
        connection.execute(
            f"INSERT INTO {table} (text, pad) VALUES (?, ?)",
            (f"{table}-{number}", bytes([number % 251]) * (number * 37 % size)),
        )


def answer(name, action, parameters):
    if action == "open":
        path, timeout = parameters
        connections[name] = sqlite3.connect(path, timeout=timeout, isolation_level=None)
        return None
    connection = connections[name]
    if action == "close":
        connections.pop(name).close()
        return None
    if action == "fill":
        fill(connection, *parameters)
        return None
    return connection.execute(*parameters).fetchall()


for line in sys.stdin:
    name, action, parameters = json.loads(line)
    try:
        reply = {"rows": answer(name, action, parameters)}
    except sqlite3.Error as error:
        reply = {"error": str(error)}
    print(json.dumps(reply), flush=True)
