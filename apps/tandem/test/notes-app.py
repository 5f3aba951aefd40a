"""A small web application as people write them: SQLite's own module, no word of replication."""
import json
import os
import sqlite3
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DATABASE, PORT = sys.argv[1], int(sys.argv[2])


def connect(path):
    """The database of a path: the first argument for /, others beside it or below."""
    name = path.strip("/")
    file = os.path.join(os.path.dirname(DATABASE), f"{name}.db") if name else DATABASE
    os.makedirs(os.path.dirname(file), exist_ok=True)
    connection = sqlite3.connect(file, timeout=5)
    connection.execute("PRAGMA journal_mode=WAL")
    return connection


class Notes(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def do_GET(self):
        with_table = "SELECT count(*) FROM sqlite_master WHERE name='note'"
        connection = connect(self.path)
        exists = connection.execute(with_table).fetchone()[0]
        rows = connection.execute("SELECT text FROM note ORDER BY id").fetchall() if exists else []
        connection.close()
        self.answer(200, [text for (text,) in rows])

    def do_POST(self):
        text = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        connection = connect(self.path)
        connection.execute("CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, text TEXT)")
        connection.execute("INSERT INTO note (text) VALUES (?)", (text,))
        connection.commit()
        connection.close()
        self.answer(201, text)

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", PORT), Notes).serve_forever()
