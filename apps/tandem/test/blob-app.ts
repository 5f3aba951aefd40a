import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { DatabaseSync } from 'node:sqlite';

/**
 * An application that writes as much as it is told to: `POST /BYTES` adds one row of so many bytes.
 * It takes any WebSocket and says nothing on it.
 */
const [path = '', port] = process.argv.slice(2);

const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    try {
      if (request.method === 'POST') write(Number(request.url?.slice(1)));
      response.end('done');
    } catch (error) {
      process.stderr.write(`the application cannot write: ${String(error)}\n`);
      response.writeHead(500).end(String(error));
    }
  });
});
server.on('upgrade', (_request, socket) => {
  socket.write(
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  );
});
server.listen(Number(port), '127.0.0.1');

function write(bytes: number): void {
  const database = new DatabaseSync(path, { timeout: 10_000 });
  database.exec('PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS blob (data)');
  database.prepare('INSERT INTO blob (data) VALUES (?)').run(randomBytes(bytes));
  database.close();
}
