import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { restoreDatabase, verifyBackup } from '@tandem/replication';
import { openStore, type ObjectStore, type RestoreTarget } from '@tandem/storage';
import { readConfig } from '../config/read-config.ts';
import { openBackupStore } from '../daemon/backups.ts';
import { type Command, CONFIG_FLAGS, configRequestOf, textOf, type Invocation } from './command.ts';

const BACKUP_FLAGS = {
  ...CONFIG_FLAGS,
  from: { type: 'string', summary: "the backup's address; by default the configured one" },
  json: { type: 'boolean', summary: 'print JSON' },
} as const;

const restore: Command = {
  summary: 'make a database from its backup, as it was last or at one moment',
  usage: 'DATABASE FILE',
  flags: {
    ...BACKUP_FLAGS,
    txid: { type: 'string', summary: 'as it was after this transaction' },
    time: { type: 'string', summary: 'as it was at this time, such as 2026-01-31T12:00:00Z' },
    force: { type: 'boolean', summary: 'set a database aside that is there' },
  },
  wordsMin: 2,
  wordsMax: 2,
  takesCommand: false,
  run: async (invocation) => {
    const [databasePrefix = '', path = ''] = invocation.words;
    const target = targetOf(invocation);
    const store = storeOf(invocation);
    if (typeof target === 'string' || store === undefined) {
      invocation.complain(`tandem restore: ${typeof target === 'string' ? target : NO_BACKUP}`);
      return 2;
    }
    const report = await restoreDatabase({
      store,
      databasePrefix,
      target,
      outputPath: resolve(path),
      force: invocation.flags['force'] === true,
    });
    const { txid, createdMs, pageCount, pageSize, setAside } = report;
    const at = new Date(createdMs).toISOString();
    const text = [
      `${path}: ${pageCount * pageSize} bytes, transaction ${txid} of ${at}`,
      ...setAside.map((each) => `set aside: ${each}`),
    ];
    invocation.print(isJson(invocation) ? JSON.stringify(report) : text.join('\n'));
    return 0;
  },
};

const verify: Command = {
  summary: 'tell what can be restored from a backup, and whether it is sound',
  usage: 'DATABASE',
  flags: {
    ...BACKUP_FLAGS,
    depth: { type: 'string', summary: 'listing, files (default), or restore: a trial' },
  },
  wordsMin: 1,
  wordsMax: 1,
  takesCommand: false,
  run: async (invocation) => {
    const [databasePrefix = ''] = invocation.words;
    const depth = textOf(invocation, 'depth') ?? 'files';
    const store = storeOf(invocation);
    const isDepth = depth === 'listing' || depth === 'files' || depth === 'restore';
    if (!isDepth || store === undefined) {
      invocation.complain(`tandem verify: ${isDepth ? NO_BACKUP : `'${depth}' is no depth.`}`);
      return 2;
    }
    const scratchFolder = mkdtempSync(join(tmpdir(), 'tandem-verify-'));
    try {
      const found = await verifyBackup({ store, databasePrefix, depth, scratchFolder });
      const ranges = found.generations.flatMap(({ generation, ranges: each }) =>
        each.map((range) => `generation ${generation}: ${JSON.stringify(range)}`),
      );
      const verdict = found.problems.length === 0 ? 'The backup is sound.' : 'It is not sound:';
      const text = [...ranges, verdict, ...found.problems].join('\n');
      invocation.print(isJson(invocation) ? JSON.stringify(found) : text);
      return found.problems.length === 0 ? 0 : 1;
    } finally {
      rmSync(scratchFolder, { recursive: true, force: true });
    }
  },
};

/** Commands that speak to a backup. */
export const BACKUP_COMMANDS: Readonly<Record<string, Command>> = { restore, verify };

const NO_BACKUP = 'no backup is configured, and no --from is given.';

function isJson({ flags }: Invocation): boolean {
  return flags['json'] === true;
}

function storeOf(invocation: Invocation): ObjectStore | undefined {
  const { config } = readConfig({ ...configRequestOf(invocation), command: null });
  const from = textOf(invocation, 'from');
  const configured = config?.backup ?? undefined;
  if (from !== undefined) {
    const credentials = configured?.credentials ?? undefined;
    const access = credentials === undefined ? { env: invocation.env } : { credentials };
    return openStore(/^[a-z0-9+.-]+:/i.test(from) ? from : resolve(from), access);
  }
  return configured === undefined ? undefined : openBackupStore(configured);
}

/** The target that the flags name, or what is wrong with them. */
function targetOf(invocation: Invocation): RestoreTarget | string {
  const [txid, time] = [textOf(invocation, 'txid'), textOf(invocation, 'time')];
  if (txid !== undefined && time !== undefined) return 'give --txid or --time, not both.';
  if (txid !== undefined) {
    const number = Number(txid);
    const isTxid = Number.isSafeInteger(number) && number > 0;
    return isTxid ? { kind: 'txid', txid: number } : `'${txid}' is no transaction.`;
  }
  if (time === undefined) return { kind: 'latest' };
  const timeMs = Date.parse(time);
  return Number.isNaN(timeMs) ? `'${time}' is no time.` : { kind: 'time', timeMs };
}
