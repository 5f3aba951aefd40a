/** An application that takes rows over HTTP and answers when they are committed. */
import { createServer } from 'node:http';
import { existsSync } from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { INSERT_ITEM, openItems } from './item-table.ts';
import { readPlan } from './program.ts';

export interface ItemServerPlan {
  /** Opened with the first request: on a replica it comes into being later. */
  readonly path: string;
  readonly port: number;
}

const { path, port } = readPlan() as ItemServerPlan;
let database: DatabaseSync | undefined;
let insert: StatementSync | undefined;

createServer((request, answer) => {
  let text = '';
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => {
    text += chunk;
  });
  request.on('end', () => {
    const [status, said] = outcomeOf(request.method === 'POST', text);
    answer.writeHead(status).end(said);
  });
}).listen(port, '127.0.0.1', () => process.stdout.write('listening\n'));

function outcomeOf(isWrite: boolean, text: string): readonly [status: number, said: string] {
  try {
    return [200, isWrite ? String(add(Number(text))) : 'ready'];
  } catch (error) {
    return [500, String(error)];
  }
}

function add(number: number): number | bigint {
  if (!existsSync(path)) throw new Error('There is no database yet.');
  database ??= openItems(path);
  insert ??= database.prepare(INSERT_ITEM);
  return insert.run(number, 'a row').lastInsertRowid;
}
