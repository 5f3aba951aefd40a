import { isAbsolute, resolve } from 'node:path';
import { LeaseError, parseConsulUrl } from '@tandem/lease';
import { textOf, type ConfigNode } from './config-node.ts';
import { isWildcardHost } from './listen-address.ts';
import { nearestName } from './nearest-name.ts';
import type { ParseContext, Parsed, ParseText } from './parsed.ts';

/** Reads one value of the configuration, whatever its form. */
export type ParseNode<Value> = (node: ConfigNode, context: ParseContext) => Parsed<Value>;

/** For a plain value. */
export function scalar<Value>(parse: ParseText<Value>): ParseNode<Value> {
  return (node, context) => {
    if (node.kind === 'scalar') return parse(node.text.trim(), context);
    return { problem: node.kind === 'list' ? 'is a list' : 'is a section' };
  };
}

/** For a YAML list, or one text with commas between the items. */
export function listOf<Value>(parse: ParseText<Value>): ParseNode<readonly Value[]> {
  return (node, context) => {
    if (node.kind === 'map') return { problem: 'is a section' };
    const texts =
      node.kind === 'list' ? node.items.map((item) => textOf(item)) : commaParts(node.text);
    const values: Value[] = [];
    for (const text of texts) {
      const parsed = parse(text.trim(), context);
      if ('problem' in parsed) return { problem: `has '${text}', which ${parsed.problem}` };
      values.push(parsed.value);
    }
    return { value: values };
  };
}

/** For a section of names, or one text as `a=VALUE,b=VALUE`. */
export function mapOf<Value>(parse: ParseText<Value>): ParseNode<ReadonlyMap<string, Value>> {
  return (node, context) => {
    if (node.kind === 'list') return { problem: 'is a list' };
    const entries =
      node.kind === 'map'
        ? node.entries.map((entry) => [entry.key, textOf(entry.node)] as const)
        : commaParts(node.text).map((part) => splitPair(part));
    const values = new Map<string, Value>();
    for (const [name, text] of entries) {
      const parsed = parse(text.trim(), context);
      if ('problem' in parsed)
        return { problem: `has '${text}' for ${name}, which ${parsed.problem}` };
      if (values.has(name)) return { problem: `names ${name} twice` };
      values.set(name, parsed.value);
    }
    return { value: values };
  };
}

/** `true` or `false`; the other usual spellings are understood. */
export function parseBoolean(text: string): Parsed<boolean> {
  const word = text.toLowerCase();
  if (['true', 'yes', 'on', '1'].includes(word)) return { value: true };
  if (['false', 'no', 'off', '0'].includes(word)) return { value: false };
  return { problem: 'is neither true nor false' };
}

/** One of a few words, whatever its case. */
export function oneOf<Word extends string>(words: readonly Word[]): ParseText<Word> {
  return (text) => {
    const found = words.find((word) => word === text.toLowerCase());
    if (found !== undefined) return { value: found };
    const nearest = nearestName(text, words);
    const meant = nearest === undefined ? '' : ` (did you mean '${nearest}'?)`;
    return { problem: `is none of ${words.join(', ')}${meant}` };
  };
}

/** Null for the word, otherwise what `parse` makes of the text. */
export function unless<Value>(word: string, parse: ParseText<Value>): ParseText<Value | null> {
  return (text, context) => (text.toLowerCase() === word ? { value: null } : parse(text, context));
}

/** Any text. */
export function parseWords(text: string): Parsed<string> {
  return text.includes('\0') ? { problem: 'contains a zero byte' } : { value: text };
}

/** An absolute path; a relative one begins at the context's folder. */
export function parsePath(text: string, context: ParseContext): Parsed<string> {
  if (text.includes('\0')) return { problem: 'contains a zero byte' };
  if (text.startsWith('~')) return { problem: "begins with '~', which only a shell understands" };
  return { value: isAbsolute(text) ? resolve(text) : resolve(context.folder, text) };
}

/** The URL of a server without path: scheme, host and port, without a slash at the end. */
export function parseServerUrl(text: string): Parsed<string> {
  if (!/^https?:\/\//i.test(text)) return { problem: 'does not begin with http:// or https://' };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) return { problem: 'is not a valid URL' };
  if (url.username !== '' || url.password !== '') return { problem: 'carries a user or password' };
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    return { problem: 'has more than scheme, host and port' };
  }
  if (isWildcardHost(url.hostname)) {
    return {
      problem: `names ${url.hostname}, which stands for all addresses and cannot be reached`,
    };
  }
  return { value: url.origin };
}

/** The application's address: `host:port`, `:port` or a URL without path. */
export function parseTarget(text: string): Parsed<string> {
  if (/^https?:\/\//i.test(text)) return parseServerUrl(text);
  const port = /^(?:(?<host>[^:/\s]+|\[[^\]\s]+\]):|:)?(?<port>\d+)$/.exec(text)?.groups;
  if (port === undefined) return { problem: 'is not an address such as localhost:3000' };
  if (Number(port['port']) > 65_535 || Number(port['port']) === 0) {
    return { problem: 'has no port between 1 and 65535' };
  }
  return parseServerUrl(`http://${port['host'] ?? 'localhost'}:${port['port']}`);
}

/** Consul's address, as LiteFS has it: the password is the token, the path goes before the key. */
export function parseConsulAddress(text: string): Parsed<string> {
  try {
    parseConsulUrl(text);
    return { value: text };
  } catch (error) {
    if (error instanceof LeaseError || error instanceof URIError) {
      return { problem: 'is not a URL such as http://127.0.0.1:8500' };
    }
    throw error;
  }
}

/** A rule for paths as the proxy has it: a whole path, in which `*` is any run of characters. */
export function parsePathRule(text: string): Parsed<string> {
  if (text.startsWith('/') || text.startsWith('*')) return { value: text };
  return { problem: "matches no path, since it begins with neither '/' nor '*'" };
}

/** A secret that travels in headers: visible ASCII without blanks, long enough not to be guessed. */
export function parseToken(text: string): Parsed<string> {
  if (!/^[\x21-\x7e]*$/.test(text)) return { problem: 'has blanks or characters beyond ASCII' };
  if (text.length < 16) return { problem: 'has less than 16 characters' };
  if (text.length > 512) return { problem: 'has more than 512 characters' };
  if (new Set(text).size < 6) return { problem: 'is too easily guessed' };
  return { value: text };
}

/** The name of an environment variable. */
export function parseVariableName(text: string): Parsed<string> {
  if (/^[A-Za-z_]\w*$/.test(text)) return { value: text };
  return { problem: 'is not the name of an environment variable' };
}

/** The name of an object of Kubernetes. */
export function parseObjectName(text: string): Parsed<string> {
  if (/^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/.test(text)) return { value: text };
  return { problem: 'cannot be the name of an object (a-z, 0-9, - and .)' };
}

/** The id of a cluster. */
export function parseClusterId(text: string): Parsed<string> {
  if (/^[\x21-\x7e]{1,64}$/.test(text)) return { value: text };
  return { problem: 'has blanks, characters beyond ASCII, or more than 64 of them' };
}

function commaParts(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function splitPair(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  return at === -1 ? [text, ''] : [text.slice(0, at).trim(), text.slice(at + 1)];
}
