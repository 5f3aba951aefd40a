/**
 * The least that can take an event over HTTP, to compare with: it reads the body, parses the JSON
 * and answers 202. It prints its port.
 */
import { createServer } from 'node:http';

const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => {
    body += chunk;
  });
  request.on('end', () => {
    JSON.parse(body);
    response.writeHead(202, { 'content-type': 'text/plain', 'content-length': 2 });
    response.end('ok');
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object') process.stdout.write(`${address?.port}\n`);
});
