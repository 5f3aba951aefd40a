import { DatabaseSync } from 'node:sqlite';

// Opens the database named on the command line and prints what it finds, as another program would.
const [path = ''] = process.argv.slice(2);
const database = new DatabaseSync(path, { timeout: 5000 });
const counted = database.prepare('SELECT count(*) AS n, total(length(x)) AS bytes FROM a').get();
const checked = database.prepare('PRAGMA integrity_check').get();
const sized = database.prepare('PRAGMA page_count').get();
console.log(JSON.stringify({ ...counted, ...checked, ...sized }));
database.close();
