import { mkdirSync, rmSync, statSync } from 'node:fs';
import { makeYear } from './make-year.ts';
const [folder = '', events = '0'] = process.argv.slice(2);
rmSync(folder, { recursive: true, force: true }); mkdirSync(folder, { recursive: true });
const t = performance.now();
await makeYear(folder, { events: Number(events), sites: 40, days: 365, paths: 5000 }, console.log);
const u = process.cpuUsage();
console.log('made', ((performance.now() - t) / 1000).toFixed(1), 's wall', ((u.user + u.system) / 1e6).toFixed(1), 's cpu', statSync(folder + '/journal.db').size / 1e6, 'MB');
