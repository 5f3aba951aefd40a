import { AssertionError, BaseError, type ErrorDetails } from '@tandem/base';
import type { NodeIdentity } from '@tandem/lease';
import { EpochHistory, type Position } from './epoch-history.ts';

/** Failures of a stream between two nodes, with their meaning. */
export const STREAM_ERROR_CODES = {
  stream_bad_message: 'The other node sent something that is no message of the protocol here.',
  stream_hand_off_failed: 'The other node did not confirm that it can take over.',
  stream_acknowledgement_unknown: 'The term ended before enough replicas confirmed a transaction.',
} as const;

export type StreamErrorCode = keyof typeof STREAM_ERROR_CODES;

/** A failure of a stream as an error to throw. */
export function streamError(
  code: StreamErrorCode,
  message: string,
  details: ErrorDetails = {},
): BaseError<StreamErrorCode> {
  return new BaseError(code, message, details);
}

/** Why a stream ended. */
export interface StreamEnd {
  /**
   * - `ended`: one side said goodbye. `handed_off`: after the replica agreed to take over.
   * - `refused`: the primary does not take this replica; `code` says why.
   * - `outdated`: the primary's epoch is below one the replica has seen.
   * - `lost`: the connection broke. `silent`: nothing came for too long.
   * - `malformed`: the other side broke the protocol. `failed`: this side could not go on.
   */
  readonly kind:
    | 'ended'
    | 'handed_off'
    | 'refused'
    | 'outdated'
    | 'lost'
    | 'silent'
    | 'malformed'
    | 'failed';
  readonly code?: string;
  readonly message: string;
  readonly hint?: string;
  readonly cause?: unknown;
}

/** An error of either side of a stream as the reason for its end. */
export function describeFailure(error: unknown): StreamEnd {
  if (error instanceof AssertionError) throw error;
  const message = error instanceof Error ? error.message : String(error);
  const isMalformed = error instanceof BaseError && error.code === 'stream_bad_message';
  const hint = error instanceof BaseError ? error.hint : undefined;
  const kind = isMalformed ? 'malformed' : 'failed';
  return { kind, message, cause: error, ...(hint === undefined ? {} : { hint }) };
}

/** A message that may not come now. */
export function outOfPlace(kind: string): Error {
  const message = `The other node broke the protocol: a message '${kind}' is out of place.`;
  return streamError('stream_bad_message', message);
}

/** A hand-off that came to nothing. */
export function handOffFailure(why: string): Error {
  return streamError('stream_hand_off_failed', `The replica does not take over: ${why}.`, {
    hint: 'This node stays primary; let writes go on, and try again or choose another replica.',
    retryable: true,
  });
}

/** A position of a database by its name. */
export interface NamedPosition extends Position {
  readonly name: string;
}

/** Where the primary is with a database, and how much of its log it has not sent yet. */
export interface DatabaseHead extends NamedPosition {
  readonly unsentBytes: number;
}

/** The version of the protocol that `hello` names. A change that old nodes misread raises it. */
export const PROTOCOL_VERSION = 1;

/** How a field travels, and what it is in the program. */
interface FieldValues {
  text: string;
  /** A text that is a database's name, so never a path that leads out of a folder. */
  name: string;
  /** A whole number up to 2^53 − 1, in eight bytes. */
  count: number;
  flag: boolean;
  /** The rest of the message; always the last field. */
  bytes: Uint8Array;
  numbers: readonly number[];
  node: NodeIdentity;
  nodes: readonly NodeIdentity[];
  positions: readonly NamedPosition[];
  heads: readonly DatabaseHead[];
  history: EpochHistory;
}

type Shape = {
  readonly type: number;
  readonly fields: Readonly<Record<string, keyof FieldValues>>;
};

/**
 * All messages. Fields travel in this order, without their names. R: sent by the replica, P: by the
 * primary. `epoch` of a message of the primary is its term; a replica takes nothing of a lower one.
 */
const SHAPES = {
  /** R: first of all. An empty `clusterId` is that of a node that has joined none. */
  hello: {
    type: 1,
    fields: { version: 'count', node: 'node', clusterId: 'text', epoch: 'count' },
  },
  /** R: a database it has, after `hello`. P: one it has, after `welcome` and with each new history. */
  database: {
    type: 2,
    fields: { name: 'name', epoch: 'count', txid: 'count', pageSize: 'count', history: 'history' },
  },
  /** R and P: all databases have been named. */
  listed: { type: 3, fields: {} },
  /** P: the answer to `hello`, unless it is `refused`. */
  welcome: {
    type: 4,
    fields: { clusterId: 'text', epoch: 'count', node: 'node', members: 'nodes' },
  },
  /** P: the stream ends. `clusterId` is the primary's, for a node that would rather join that. */
  refused: { type: 5, fields: { code: 'text', message: 'text', hint: 'text', clusterId: 'text' } },
  /** P: the nodes of the cluster have changed. */
  members: { type: 6, fields: { members: 'nodes' } },
  /** P: what comes after this transaction is not the primary's. A repair follows. */
  diverged: { type: 7, fields: { name: 'name', epoch: 'count', sharedTxid: 'count' } },
  /** P: an LTX file of `totalBytes`, of which `bytes` are the first; `part`s follow. */
  ltx: {
    type: 8,
    fields: {
      name: 'name',
      epoch: 'count',
      minTxid: 'count',
      maxTxid: 'count',
      timestampMs: 'count',
      totalBytes: 'count',
      bytes: 'bytes',
    },
  },
  /** P: the next bytes of the last `ltx`. */
  part: { type: 9, fields: { bytes: 'bytes' } },
  /** P: pages of the database at this position are to come; which, the digests tell. */
  repair: {
    type: 10,
    fields: {
      name: 'name',
      epoch: 'count',
      positionEpoch: 'count',
      txid: 'count',
      pageSize: 'count',
      pageCount: 'count',
      history: 'history',
    },
  },
  /** R: digests of groups of pages from the first on, in as many messages as needed. */
  groups: { type: 11, fields: { name: 'name', isLast: 'flag', bytes: 'bytes' } },
  /** P: asks for the digests of the pages of these groups. */
  query: { type: 12, fields: { name: 'name', groups: 'numbers' } },
  /** R: the digests of the pages of one group. */
  digests: { type: 13, fields: { name: 'name', group: 'count', bytes: 'bytes' } },
  /** P: pages that differ, one or more in a row from this number on. */
  pages: { type: 14, fields: { name: 'name', pgno: 'count', bytes: 'bytes' } },
  /** P: all pages that differ have been sent; the database's digest must now be this. */
  repaired: { type: 15, fields: { name: 'name', epoch: 'count', digest: 'text' } },
  /** P: there is no database of this name. */
  drop: { type: 16, fields: { name: 'name', epoch: 'count' } },
  /** P: everything there was at the beginning has been sent. */
  ready: { type: 17, fields: {} },
  /** P: a sign of life, its monotonic clock, and the databases that have moved since the last. */
  heartbeat: { type: 18, fields: { clockMs: 'count', heads: 'heads' } },
  /** R: these transactions and all before are applied and durable. An empty one is a sign of life. */
  ack: { type: 19, fields: { positions: 'positions' } },
  /** P: asks to take over at these positions; more of them follow unless `isLast`. */
  offer: {
    type: 20,
    fields: { epoch: 'count', attempt: 'count', isLast: 'flag', positions: 'positions' },
  },
  /** R: holds these positions and may take over, unless `problem` is not empty. */
  accept: { type: 21, fields: { attempt: 'count', problem: 'text' } },
  /** R: answers `drop`; the node has done with the database what it does with such. */
  gone: { type: 23, fields: { name: 'name' } },
  /** R and P: a clean end. */
  end: { type: 22, fields: { reason: 'text' } },
} as const satisfies Readonly<Record<string, Shape>>;

type Kind = keyof typeof SHAPES;
type Fields<K extends Kind> = (typeof SHAPES)[K]['fields'];
type MessageOf<K extends Kind> = { readonly kind: K } & {
  readonly [F in keyof Fields<K>]: Fields<K>[F] extends keyof FieldValues
    ? FieldValues[Fields<K>[F]]
    : never;
};

/** A message of the stream; `kind` tells which. */
export type StreamMessage = { [K in Kind]: MessageOf<K> }[Kind];
/** The message of one kind. */
export type StreamMessageOf<K extends StreamMessage['kind']> = MessageOf<K>;

/** A message as it travels: its type, and its fields one after the other. */
export interface Frame {
  readonly type: number;
  readonly payload: Uint8Array;
}

/** The table with its fields in a list: pages and small transactions come by the ten thousands. */
const LAYOUTS = Object.fromEntries(
  Object.entries(SHAPES).map(([kind, { type, fields }]) => [
    kind,
    { type, fields: Object.entries(fields) },
  ]),
) as Readonly<Record<Kind, { type: number; fields: [string, keyof FieldValues][] }>>;
const KIND_OF_TYPE = new Map<number, Kind>(
  Object.entries(SHAPES).map(([kind, { type }]) => [type, kind as Kind]),
);
const NAME_BYTES_MAX = 1024;
/** So many with names of full length are just below the size of a message. */
const POSITIONS_MAX = 900;
const COUNT_BYTES = 8;
const WORD = 0x1_0000_0000;
/** Backslashes and control characters, and segments that are empty, '.' or '..'. */
const BAD_IN_NAME = /[\\\p{Cc}]|(?:^|\/)\.{0,2}(?:\/|$)/u;

/** Why a primary does not take on the replica that says `hello`; undefined when it does. */
export function refusalOf(
  { version, node, clusterId, epoch }: MessageOf<'hello'>,
  primary: {
    readonly identity: NodeIdentity;
    readonly clusterId: string;
    readonly epoch: number;
  },
): MessageOf<'refused'> | undefined {
  const refuse = (code: string, message: string, hint: string): MessageOf<'refused'> => ({
    kind: 'refused',
    code,
    message,
    hint,
    clusterId: primary.clusterId,
  });
  if (version !== PROTOCOL_VERSION) {
    const own = `this primary version ${PROTOCOL_VERSION}`;
    const message = `${node.name} speaks version ${version} of the protocol, ${own}.`;
    return refuse('version_unknown', message, 'Run the same release on all nodes.');
  }
  if (node.id === primary.identity.id) {
    const hint = 'Give every node its own advertise URL, one that leads to it alone.';
    return refuse('own_stream', `${node.name} has connected to itself.`, hint);
  }
  if (clusterId !== '' && clusterId !== primary.clusterId) {
    const own = `its primary ${primary.identity.name} to cluster ${primary.clusterId}`;
    const hint = 'Let the node set its data aside and join, or point it at the cluster it is of.';
    return refuse('cluster_differs', `${node.name} belongs to cluster ${clusterId}, ${own}.`, hint);
  }
  if (epoch <= primary.epoch) return undefined;
  const message = `${node.name} has seen epoch ${epoch}; this primary is of epoch ${primary.epoch}.`;
  return refuse('epoch_outdated', message, 'This node is no longer primary and steps down.');
}

/** Whether a stream carries databases of this name: a relative path that stays inside its folder. */
export function isDatabaseName(name: string): boolean {
  return !BAD_IN_NAME.test(name) && Buffer.byteLength(name) <= NAME_BYTES_MAX;
}

/** Whether whoever gets a message of this type is done with it before the next one is taken. */
export function isTransient(type: number): boolean {
  return type === SHAPES.pages.type || type === SHAPES.part.type;
}

/** The message as a frame. `bytes` are copied. */
export function encodeMessage(message: StreamMessage): Frame {
  const { type, parts } = encodeParts(message);
  return { type, payload: Buffer.concat(parts) };
}

/** The message as the parts of a frame's payload; `bytes`, if it has such, are the last as they are. */
export function encodeParts(message: StreamMessage): {
  readonly type: number;
  readonly parts: readonly Uint8Array[];
} {
  const { type, fields } = LAYOUTS[message.kind];
  const out: Uint8Array[] = [];
  const values: Readonly<Record<string, unknown>> = message;
  for (const [field, as] of fields) {
    // `MessageOf` has given the value the type that the table says.
    const encode = ENCODERS[as] as (out: Uint8Array[], value: unknown) => void;
    encode(out, values[field]);
  }
  return { type, parts: out };
}

/**
 * The reverse of `encodeMessage`. `bytes` is a view of the payload.
 *
 * @throws BaseError `stream_bad_message` for anything that `encodeMessage` does not make.
 */
export function decodeMessage({ type, payload }: Frame): StreamMessage {
  const kind = KIND_OF_TYPE.get(type);
  if (kind === undefined) throw bad(`there is no message of type ${type}`);
  const reader = new FieldReader(payload);
  const message: Record<string, unknown> = { kind };
  for (const [field, as] of LAYOUTS[kind].fields) message[field] = DECODERS[as](reader);
  reader.mustBeAtEnd();
  // The decoders return what the table says, field by field.
  return message as StreamMessage;
}

/** Named positions or heads cut into as many as fit a message; one empty part when there are none. */
export function inMessages<Item>(items: readonly Item[]): Item[][] {
  const parts = [items.slice(0, POSITIONS_MAX)];
  for (let at = POSITIONS_MAX; at < items.length; at += POSITIONS_MAX) {
    parts.push(items.slice(at, at + POSITIONS_MAX));
  }
  return parts;
}

const DECODERS: { readonly [K in keyof FieldValues]: (reader: FieldReader) => FieldValues[K] } = {
  text: (reader) => reader.text(),
  name: (reader) => reader.name(),
  count: (reader) => reader.count(),
  flag: (reader) => reader.flag(),
  bytes: (reader) => reader.rest(),
  numbers: (reader) => reader.list(() => reader.count()),
  node: readNode,
  nodes: (reader) => reader.list(() => readNode(reader)),
  positions: (reader) => reader.list(() => readPosition(reader)),
  heads: (reader) => reader.list(() => ({ ...readPosition(reader), unsentBytes: reader.count() })),
  history: readHistory,
};

function readNode(reader: FieldReader): NodeIdentity {
  return { id: reader.text(), name: reader.text(), advertiseUrl: reader.text() };
}

function readPosition(reader: FieldReader): NamedPosition {
  return { name: reader.name(), epoch: reader.count(), txid: reader.count() };
}

function readHistory(reader: FieldReader): EpochHistory {
  const highestEpoch = reader.count();
  const starts = reader.list(() => ({ epoch: reader.count(), firstTxid: reader.count() }));
  try {
    return EpochHistory.parse({ highestEpoch, starts });
  } catch (error) {
    throw bad('a history of epochs is none', error);
  }
}

const ENCODERS: {
  readonly [K in keyof FieldValues]: (out: Uint8Array[], value: FieldValues[K]) => void;
} = {
  text: writeText,
  name: writeText,
  count: writeCount,
  flag: (out, value) => void out.push(Uint8Array.of(value ? 1 : 0)),
  bytes: (out, value) => void out.push(value),
  numbers: (out, values) => writeList(out, values, (value) => writeCount(out, value)),
  node: writeNode,
  nodes: (out, values) => writeList(out, values, (value) => writeNode(out, value)),
  positions: (out, values) => writeList(out, values, (value) => writePosition(out, value)),
  heads: (out, values) =>
    writeList(out, values, (value) => {
      writePosition(out, value);
      writeCount(out, value.unsentBytes);
    }),
  history: (out, { highestEpoch, starts }) => {
    writeCount(out, highestEpoch);
    writeList(out, starts, ({ epoch, firstTxid }) => {
      writeCount(out, epoch);
      writeCount(out, firstTxid);
    });
  },
};

function writeNode(out: Uint8Array[], { id, name, advertiseUrl }: NodeIdentity): void {
  for (const text of [id, name, advertiseUrl]) writeText(out, text);
}

function writePosition(out: Uint8Array[], { name, epoch, txid }: NamedPosition): void {
  writeText(out, name);
  writeCount(out, epoch);
  writeCount(out, txid);
}

function writeList<Item>(
  out: Uint8Array[],
  items: readonly Item[],
  write: (item: Item) => void,
): void {
  writeCount(out, items.length);
  for (const item of items) write(item);
}

function writeText(out: Uint8Array[], text: string): void {
  const bytes = Buffer.from(text);
  writeCount(out, bytes.length);
  out.push(bytes);
}

function writeCount(out: Uint8Array[], count: number): void {
  const bytes = Buffer.alloc(COUNT_BYTES);
  bytes.writeUInt32BE(Math.floor(count / WORD), 0);
  bytes.writeUInt32BE(count % WORD, 4);
  out.push(bytes);
}

/** Takes fields off a payload. */
class FieldReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor({ buffer, byteOffset, byteLength }: Uint8Array) {
    this.#bytes = Buffer.from(buffer, byteOffset, byteLength);
  }

  count(): number {
    const bytes = this.#take(COUNT_BYTES);
    const count = bytes.readUInt32BE(0) * WORD + bytes.readUInt32BE(4);
    if (!Number.isSafeInteger(count)) throw bad('a number is too large');
    return count;
  }

  flag(): boolean {
    const value = this.#take(1)[0];
    if (value !== 0 && value !== 1) throw bad('a flag is neither 0 nor 1');
    return value === 1;
  }

  text(): string {
    const bytes = this.#take(this.count());
    const text = bytes.toString();
    // Bytes that are no UTF-8 have become replacement characters.
    if (!Buffer.from(text).equals(bytes)) throw bad('a text is not UTF-8');
    return text;
  }

  name(): string {
    const name = this.text();
    if (!isDatabaseName(name)) throw bad(`'${name.slice(0, 100)}' cannot name a database`);
    return name;
  }

  /** Items until the stated number; a number that lies runs out of bytes. */
  list<Item>(read: () => Item): Item[] {
    const items: Item[] = [];
    for (let left = this.count(); left > 0; left -= 1) items.push(read());
    return items;
  }

  rest(): Uint8Array {
    return this.#take(this.#bytes.length - this.#at);
  }

  mustBeAtEnd(): void {
    if (this.#at < this.#bytes.length) throw bad('a message is too long');
  }

  #take(byteCount: number): Buffer {
    const end = this.#at + byteCount;
    if (end > this.#bytes.length) throw bad('a message is too short');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}

function bad(why: string, cause?: unknown): BaseError<StreamErrorCode> {
  return streamError('stream_bad_message', `The other node broke the protocol: ${why}.`, { cause });
}
