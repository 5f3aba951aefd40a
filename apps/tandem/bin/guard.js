// Plain JavaScript on purpose: it waits for as long as the daemon runs, and types would have to be
// stripped by a compiler that doubles its memory.
import { readdirSync, readFileSync } from 'node:fs';

/**
 * The application must not outlive its daemon, which may be killed with SIGKILL. This process holds
 * the other end of a pipe: `watch PID START` names the application, `clear` says that it has ended.
 * When the pipe ends, so has the daemon, and whatever is still being watched is killed at once.
 *
 * START is when the process began, as the kernel counts, since a pid may be given out again.
 */
let watched;
let rest = '';

process.title = 'tandem-guard';
// Whoever stops a whole group of processes is to reach the daemon and the application, not this one.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) process.on(signal, () => {});
process.stdin.setEncoding('utf8');
process.stdin.on('data', (text) => {
  const lines = (rest + text).split('\n');
  rest = lines.pop() ?? '';
  for (const line of lines) {
    const [word, pid, start] = line.split(' ');
    watched = word === 'watch' ? { pid: Number(pid), start } : undefined;
  }
});
process.stdin.on('close', () => {
  if (watched !== undefined) endFamily(watched);
  process.exit();
});
process.stdout.on('error', () => {});
process.stdout.write('ready\n');

/** Stops them all before the first is killed: none can start another while we look. */
function endFamily({ pid, start }) {
  const stopped = new Set();
  for (;;) {
    const found = familyOf(pid, start).filter((each) => !stopped.has(each));
    if (found.length === 0) break;
    for (const each of found) {
      stopped.add(each);
      signal(each, 'SIGSTOP');
    }
  }
  for (const each of stopped) signal(each, 'SIGKILL');
}

/** The process, who is in its group if it leads one, and all that descend from these. */
function familyOf(root, start) {
  const processes = processTable();
  const own = processes.find(({ pid }) => pid === root);
  // The number is not given out again while anybody is left in the group.
  if (own !== undefined && own.start !== start) return [];
  const isOfGroup = ({ pid, group }) => pid === root || group === root;
  const family = new Set(processes.filter(isOfGroup).map(({ pid }) => pid));
  for (let count = -1; count !== family.size;) {
    count = family.size;
    for (const { pid, parent } of processes) if (family.has(parent)) family.add(pid);
  }
  return [...family];
}

function processTable() {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((name) => {
    try {
      const text = readFileSync(`/proc/${name}/stat`, 'utf8');
      // The name before it may contain blanks and parentheses.
      const [, parent, group, ...more] = text.slice(text.lastIndexOf(')') + 2).split(' ');
      return [{ pid: Number(name), parent: Number(parent), group: Number(group), start: more[16] }];
    } catch {
      return [];
    }
  });
}

function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself, or has become another user's.
  }
}
