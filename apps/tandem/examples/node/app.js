// A small web application as people write them: no word of replication.
import { createServer } from 'node:http';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';

const [path, port] = process.argv.slice(2);
const database = new DatabaseSync(path, { timeout: 5000 });
database.exec('PRAGMA journal_mode = WAL');
database.exec('CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, text TEXT NOT NULL)');
const insert = database.prepare('INSERT INTO note (text) VALUES (?)');
const select = database.prepare('SELECT text FROM note ORDER BY id');

async function answer(request, response) {
  try {
    if (request.method === 'POST') {
      insert.run(await text(request));
      response.writeHead(201).end('stored\n');
    } else {
      response.end(
        select
          .all()
          .map((note) => `${String(note.text)}\n`)
          .join(''),
      );
    }
  } catch (error) {
    response.writeHead(503).end(`${error.message}\n`);
  }
}

createServer((request, response) => void answer(request, response)).listen(
  Number(port),
  '127.0.0.1',
);
