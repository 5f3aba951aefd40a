import { TandemClient } from '../http/client.ts';
import { NodeWriteRight } from '../http/node-write-right.ts';
import { runWithWriteLock } from '../supervise/run-with-write-lock.ts';
import { type Command, NODE_FLAGS, textOf, type Invocation } from './command.ts';
import { nodeTarget } from './node-target.ts';
import { statusText } from './status-text.ts';

const HAND_OFF_MS = 30_000;
const GRACE_MS = 10_000;

const status: Command = {
  summary: 'show the role, positions and lag of a node and of those connected to it',
  usage: '',
  flags: NODE_FLAGS,
  wordsMin: 0,
  wordsMax: 0,
  takesCommand: false,
  run: async (invocation) => {
    const answer = await clientOf(invocation).status();
    invocation.print(isJson(invocation) ? JSON.stringify(answer) : statusText(answer));
    return 0;
  },
};

const promote: Command = {
  summary: 'make this node primary: the primary hands off to it',
  usage: '',
  flags: NODE_FLAGS,
  wordsMin: 0,
  wordsMax: 0,
  takesCommand: false,
  run: async (invocation) => tell(invocation, await clientOf(invocation).promote(limit())),
};

const handoff: Command = {
  summary: 'make another node primary: the named one, or the one most in step',
  usage: '[NODE]',
  flags: NODE_FLAGS,
  wordsMin: 0,
  wordsMax: 1,
  takesCommand: false,
  run: async (invocation) => {
    const [name] = invocation.words;
    return tell(invocation, await clientOf(invocation).handOff(name, limit()));
  },
};

const exportDatabase: Command = {
  summary: 'download a consistent copy of a database',
  usage: 'DATABASE FILE',
  flags: NODE_FLAGS,
  wordsMin: 2,
  wordsMax: 2,
  takesCommand: false,
  run: async (invocation) => {
    const [name = '', path = ''] = invocation.words;
    const exported = await clientOf(invocation).exportTo({ name, path, check: 'quick' });
    const { position, sizeBytes } = exported;
    const text = `${path}: ${sizeBytes} bytes, as of ${position}`;
    invocation.print(isJson(invocation) ? JSON.stringify({ path, ...exported }) : text);
    return 0;
  },
};

const importDatabase: Command = {
  summary: 'upload a SQLite file as a database, in the place of the one of that name',
  usage: 'DATABASE FILE',
  flags: NODE_FLAGS,
  wordsMin: 2,
  wordsMax: 2,
  takesCommand: false,
  run: async (invocation) => {
    const [name = '', path = ''] = invocation.words;
    return tell(invocation, await clientOf(invocation).importFrom({ name, path }));
  },
};

const run: Command = {
  summary: 'run a command on this node while it is primary, such as a migration',
  usage: '--with-write-lock [--return] -- COMMAND',
  flags: {
    ...NODE_FLAGS,
    'with-write-lock': { type: 'boolean', summary: 'get the right to write first' },
    return: { type: 'boolean', summary: 'hand it back to the node that had it' },
    timeout: { type: 'string', summary: 'how long to wait for it, in seconds (30)' },
  },
  wordsMin: 0,
  wordsMax: 0,
  takesCommand: true,
  run: async (invocation) => {
    const words = invocation.command ?? [];
    const seconds = Number(textOf(invocation, 'timeout') ?? 30);
    if (invocation.flags['with-write-lock'] !== true || words.length === 0 || !(seconds > 0)) {
      invocation.complain('tandem run: give --with-write-lock and a command after --.');
      return 2;
    }
    return runWithWriteLock({
      right: new NodeWriteRight(clientOf(invocation)),
      words,
      acquireTimeoutMs: seconds * 1000,
      isReturned: invocation.flags['return'] === true,
      environment: invocation.env,
      graceMs: GRACE_MS,
      signals: process,
      hasTerminal: process.stdin.isTTY,
      onReleaseError: (error) =>
        invocation.complain(`tandem run: the right was not handed back: ${String(error)}`),
    });
  },
};

/** Commands that speak to a running node. */
export const NODE_COMMANDS: Readonly<Record<string, Command>> = {
  status,
  promote,
  handoff,
  run,
  export: exportDatabase,
  import: importDatabase,
};

function clientOf(invocation: Invocation): TandemClient {
  return new TandemClient(nodeTarget(invocation));
}

function isJson({ flags }: Invocation): boolean {
  return flags['json'] === true;
}

function limit(): AbortSignal {
  return AbortSignal.timeout(HAND_OFF_MS);
}

function tell(invocation: Invocation, answer: object): number {
  const lines = Object.entries(answer).map(([key, value]) => `${key}: ${asText(value)}`);
  invocation.print(isJson(invocation) ? JSON.stringify(answer) : lines.join('\n'));
  return 0;
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
