/** The configuration file as a tree: everything a value needs for a good error message. */
export type ConfigNode = ScalarNode | ListNode | MapNode;

/** A plain value. */
export interface ScalarNode {
  readonly kind: 'scalar';
  /** The value with its variables filled in. */
  readonly text: string;
  /** As it stands in the file. */
  readonly written: string;
  /** The variables that `written` names. */
  readonly variables: readonly string[];
  /** False when nothing at all stands after the key. */
  readonly isPresent: boolean;
  readonly line: number;
}

export interface ListNode {
  readonly kind: 'list';
  readonly items: readonly ConfigNode[];
  readonly line: number;
}

export interface MapNode {
  readonly kind: 'map';
  readonly entries: readonly MapEntry[];
  readonly line: number;
}

export interface MapEntry {
  readonly key: string;
  /** The line of the key. */
  readonly line: number;
  readonly node: ConfigNode;
}

/** A value that stands in no file. */
export function scalarOf(text: string, line = 0): ScalarNode {
  return { kind: 'scalar', text, written: text, variables: [], isPresent: true, line };
}

/** All variables that the values below `node` name. */
export function variablesIn(node: ConfigNode): readonly string[] {
  switch (node.kind) {
    case 'scalar':
      return node.variables;
    case 'list':
      return node.items.flatMap((item) => variablesIn(item));
    case 'map':
      return node.entries.flatMap((entry) => variablesIn(entry.node));
  }
}

/** The node as one line of text, for messages and listings. */
export function textOf(node: ConfigNode): string {
  switch (node.kind) {
    case 'scalar':
      return node.text;
    case 'list':
      return node.items.map((item) => textOf(item)).join(', ');
    case 'map':
      return node.entries.map(({ key, node: value }) => `${key}: ${textOf(value)}`).join(', ');
  }
}
