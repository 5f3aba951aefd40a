import { isMap, isScalar, isSeq, parseDocument, type Pair, type YAMLError } from 'yaml';
import { ConfigError } from './config-error.ts';

/** One key of a configuration file with its value as text; null means that nothing stands there. */
export interface FileEntry {
  readonly name: string;
  readonly text: string | null;
  /** True when the value was a YAML list, whose items `text` joins with commas. */
  readonly isList: boolean;
}

/**
 * Reads the text of a configuration file: one YAML map of names to plain values or lists of them.
 *
 * @throws ConfigError `config_file` with the line and what to do; `bad_setting` when a value is a map.
 */
export function parseConfigurationFile(text: string, filePath: string): readonly FileEntry[] {
  const document = parseDocument(text, { uniqueKeys: true, prettyErrors: true, logLevel: 'error' });
  const error = document.errors[0];
  if (error !== undefined) throw yamlFault(error, filePath);
  const contents = document.contents;
  if (contents === null || (isScalar(contents) && contents.value === null)) return [];
  if (!isMap(contents)) {
    throw new ConfigError(
      'config_file',
      `${filePath} holds ${isSeq(contents) ? 'a list' : 'a single value'} where settings should be.`,
      { hint: "Write one setting a line, such as 'listen: 127.0.0.1:8080'." },
    );
  }
  return contents.items.map((pair) => readPair(pair, filePath));
}

function readPair(pair: Pair, filePath: string): FileEntry {
  const name = isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
  if (isScalar(pair.value) || pair.value === null) {
    return { name, text: scalarText(pair.value), isList: false };
  }
  if (isSeq(pair.value)) {
    const items = pair.value.items.map((item) => (isScalar(item) ? scalarText(item) : undefined));
    if (!items.includes(undefined)) {
      return { name, text: items.filter((item) => item !== null).join(','), isList: true };
    }
  }
  throw new ConfigError('bad_setting', `${name} in ${filePath} has a nested value.`, {
    hint: `Write a plain value, such as '${name}: VALUE'.`,
  });
}

/** The value as its author wrote it, so that `010` and `1e3` are judged by the setting's parser. */
function scalarText(node: unknown): string | null {
  if (!isScalar(node) || node.value === null) return null;
  return typeof node.value === 'string' ? node.value : (node.source ?? null);
}

const EXPLANATIONS: Partial<Record<YAMLError['code'], readonly [string, string]>> = {
  DUPLICATE_KEY: ['the same setting stands there twice', 'Keep one of the two lines.'],
  TAB_AS_INDENT: ['a tab stands where YAML wants spaces', 'Replace the tab by spaces.'],
  MULTIPLE_DOCS: ['a second YAML document begins', "Remove the '---' and keep one document."],
};

function yamlFault(error: YAMLError, filePath: string): ConfigError {
  const line = error.linePos?.[0].line;
  const where = line === undefined ? filePath : `${filePath}, line ${line}`;
  const [firstLine = ''] = error.message.split('\n');
  const words = firstLine.replace(/ at line \d+.*$/, '');
  const [what, hint] = EXPLANATIONS[error.code] ?? [
    `this is not valid YAML (${words})`,
    'Correct the line.',
  ];
  return new ConfigError('config_file', `${where}: ${what}.`, { hint, cause: error });
}
