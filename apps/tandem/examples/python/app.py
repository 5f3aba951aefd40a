"""A small web application as people write them: no word of replication."""

import sqlite3
import sys
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATH, PORT = sys.argv[1], int(sys.argv[2])


def connect():
    connection = sqlite3.connect(PATH, timeout=5)
    connection.execute("PRAGMA journal_mode = WAL")
    return closing(connection)


class Notes(BaseHTTPRequestHandler):
    def do_GET(self):
        with connect() as connection:
            rows = connection.execute("SELECT text FROM note ORDER BY id").fetchall()
        self.answer(200, "".join(f"{text}\n" for (text,) in rows))

    def do_POST(self):
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        try:
            with connect() as connection, connection:
                connection.execute("INSERT INTO note (text) VALUES (?)", (text,))
            self.answer(201, "stored\n")
        except sqlite3.OperationalError as error:
            self.answer(503, f"{error}\n")

    def answer(self, status, text):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())


with connect() as database:
    database.execute("CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, text TEXT NOT NULL)")
ThreadingHTTPServer(("127.0.0.1", PORT), Notes).serve_forever()
