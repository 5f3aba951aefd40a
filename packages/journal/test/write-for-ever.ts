import { writeSync } from 'node:fs';
import { Journal } from '../src/journal.ts';
import { sampleEvent, sampleVisit } from './sample-rows.ts';

const [folder = ''] = process.argv.slice(2);
const EVENTS_PER_TRANSACTION = 5;

/** Commits visits of five events each, and prints the last event's id after each commit. */
using journal = Journal.open({ folder });
for (;;) {
  const last = journal.transaction(() => {
    const visit_id = journal.tail.insertVisit(sampleVisit({ events: EVENTS_PER_TRANSACTION }));
    const event = sampleEvent({ visit_id });
    return journal.tail.insertEvents(Array.from({ length: EVENTS_PER_TRANSACTION }, () => event));
  });
  writeSync(1, `${last}\n`);
}
