/**
 * Preloaded into a server with `--import`: from then on, in all its threads, the time is the number
 * of Unix milliseconds in the file that `TEST_CLOCK_FILE` names. The rest of the program is as ever.
 */
import { readFileSync } from 'node:fs';

const path = process.env['TEST_CLOCK_FILE'];
if (path === undefined) throw new Error('TEST_CLOCK_FILE is not set');
Date.now = () => Number(readFileSync(path, 'utf8'));
