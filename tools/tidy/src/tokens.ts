export type TokenKind = 'word' | 'number' | 'string' | 'template' | 'regex' | 'comment' | 'mark';

/** A piece of TypeScript source. White space is no token. */
export interface Token {
  readonly kind: TokenKind;
  /** A string's value without quotes; a comment with its slashes; everything else as written. */
  readonly text: string;
  /** From 1. */
  readonly line: number;
}

/** Words after which a slash begins a regular expression, since no value can end with them. */
const BEFORE_VALUE = new Set(
  'return typeof case in of delete void throw new instanceof else do yield await'.split(' '),
);
const PATTERNS: readonly (readonly [TokenKind, RegExp])[] = [
  ['comment', /\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/y],
  ['word', /[\p{ID_Start}$_#@][\p{ID_Continue}$\u200c\u200d]*/uy],
  ['number', /(?:0[xXbBoO][\da-fA-F_]+|\d[\d_]*(?:\.[\d_]+)?(?:[eE][+-]?\d+)?)n?/y],
  ['string', /'(?:[^'\\\n]|\\[\s\S])*'?|"(?:[^"\\\n]|\\[\s\S])*"?/y],
];
const REGEX = /\/(?![*/])(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
const TEMPLATE_PART = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*(?:`|\$\{|$)/y;

/**
 * Cuts `source` into tokens. It knows just enough of the language to tell code from strings,
 * comments and regular expressions; a file that does not compile may come out in odd pieces, but
 * this never throws and always ends.
 */
export function tokenize(source: string): Token[] {
  return new Tokenizer(source).run();
}

/** The tokens without comments: what the compiler sees. */
export function codeTokens(source: string): Token[] {
  return tokenize(source).filter((token) => token.kind !== 'comment');
}

class Tokenizer {
  readonly #source: string;
  readonly #tokens: Token[] = [];
  /** Per open brace, whether its end returns to a template literal. */
  readonly #braces: boolean[] = [];
  #position = 0;
  #line = 1;

  constructor(source: string) {
    this.#source = source;
  }

  run(): Token[] {
    while (this.#position < this.#source.length) {
      if (!this.#skipSpace()) this.#next();
    }
    return this.#tokens;
  }

  #skipSpace(): boolean {
    const space = this.#match(/\s+/y);
    if (space === undefined) return false;
    this.#advance(space);
    return true;
  }

  #next(): void {
    for (const [kind, pattern] of PATTERNS) {
      const text = this.#match(pattern);
      if (text !== undefined) return this.#push(kind, text);
    }
    const regex = this.#mayBeginRegex() ? this.#match(REGEX) : undefined;
    if (regex !== undefined) return this.#push('regex', regex);
    this.#mark(this.#source[this.#position] ?? '');
  }

  #mark(mark: string): void {
    if (mark === '{') this.#braces.push(false);
    const intoTemplate = mark === '`' || (mark === '}' && this.#braces.pop() === true);
    if (!intoTemplate) return this.#push('mark', mark);
    TEMPLATE_PART.lastIndex = this.#position + 1;
    const part = mark + (TEMPLATE_PART.exec(this.#source)?.[0] ?? '');
    if (part.endsWith('${')) this.#braces.push(true);
    this.#push('template', part);
  }

  #mayBeginRegex(): boolean {
    const before = this.#tokens.findLast((token) => token.kind !== 'comment');
    if (before === undefined) return true;
    if (before.kind === 'word') return BEFORE_VALUE.has(before.text);
    if (before.kind === 'template') return before.text.endsWith('${');
    return before.kind === 'mark' && ![')', ']', '}'].includes(before.text);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#position;
    const text = pattern.exec(this.#source)?.[0];
    return text === '' ? undefined : text;
  }

  #push(kind: TokenKind, raw: string): void {
    const text = kind === 'string' ? stringValue(raw) : raw;
    this.#tokens.push({ kind, text, line: this.#line });
    this.#advance(raw);
  }

  #advance(text: string): void {
    this.#position += text.length;
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) this.#line += 1;
  }
}

function stringValue(raw: string): string {
  const inner = raw.slice(1, raw.length > 1 && raw.endsWith(raw.charAt(0)) ? -1 : undefined);
  return inner.replaceAll(/\\(u[\da-fA-F]{4}|x[\da-fA-F]{2}|[\s\S])/g, (_, escape: string) => {
    if (escape.length > 1) return String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    return { n: '\n', t: '\t', r: '\r', '0': '\0', '\n': '' }[escape] ?? escape;
  });
}
