type Json = Readonly<Record<string, unknown>>;

/** The answer of `/status` as lines for people. */
export function statusText(status: Json): string {
  const primary = record(status['primary']);
  const node = record(status['node']);
  const head = [
    `node      ${text(node['name'])} (${text(status['role'])}, epoch ${text(status['epoch'])})`,
    `primary   ${text(primary['name'] ?? primary['hostname'] ?? 'nobody')}`,
    `ready     ${status['ready'] === true ? 'yes' : list(status['notReady']).map(text).join('; ') || 'no'}`,
  ];
  const databases = Object.entries(record(status['databases'])).map(([name, value]) => {
    const { epoch, txid, lag } = record(value);
    const { transactions, seconds } = record(lag);
    const behind =
      lag === undefined || lag === null
        ? 'lag unknown'
        : `${text(transactions)} transactions, ${text(seconds)} s behind`;
    return `database  ${name}: epoch ${text(epoch)}, transaction ${text(txid)}, ${behind}`;
  });
  const replicas = list(status['replicas']).map((value) => {
    const replica = record(value);
    const isReady = replica['ready'] ?? replica['isReady'];
    const name = replica['name'] ?? record(replica['node'])['name'];
    return `replica   ${text(name)}: ${isReady === true ? 'in step' : 'catching up'}`;
  });
  return [...head, ...databases, ...replicas].join('\n');
}

function record(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '?');
}
