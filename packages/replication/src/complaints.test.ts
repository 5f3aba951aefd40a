import { expect, test } from 'vitest';
import { Complaints } from './complaints.ts';
import { ReplicationError } from './replication-error.ts';
import { systemStreamClock } from './stream-source.ts';

test('what fails over and over is said at first, when there is another reason, and ever more rarely', () => {
  let nowMs = 0;
  const logged: string[] = [];
  const clock = { ...systemStreamClock, monotonicMs: () => nowMs };
  const complaints = new Complaints((level, message, facts) => {
    logged.push(`${level} ${message}: ${facts['message']}`);
  }, clock);
  const full = new Error('the disk is full');
  for (nowMs = 0; nowMs < 60_000; nowMs += 1000) complaints.about('cannot capture a.db', full);
  complaints.about('cannot capture a.db', new Error('it is gone'));
  complaints.about('cannot capture b.db', full);
  expect(logged).toEqual([
    'warn cannot capture a.db: the disk is full',
    'warn cannot capture a.db: the disk is full',
    'warn cannot capture a.db: it is gone',
    'warn cannot capture b.db: the disk is full',
  ]);
});

test('what an operator can do is said with it', () => {
  const logged: object[] = [];
  const complaints = new Complaints(
    (_level, _message, facts) => logged.push(facts),
    systemStreamClock,
  );
  complaints.about(
    'cannot log',
    new ReplicationError('disk_full', 'It is full.', { hint: 'Free it.' }),
  );
  expect(logged).toEqual([{ message: 'It is full.', hint: 'Free it.' }]);
});
