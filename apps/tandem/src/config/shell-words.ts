import type { Parsed } from './parsed.ts';

/**
 * Splits a command into its words as a shell does: blanks part, quotes and backslashes keep together.
 * Nothing else of a shell is done: no variables, patterns, pipes or lists of commands.
 */
export function parseShellWords(text: string): Parsed<readonly string[]> {
  const words: string[] = [];
  let word: string | undefined;
  let at = 0;
  while (at < text.length) {
    const letter = text[at] ?? '';
    if (letter === "'" || letter === '"') {
      const quoted = readQuoted(text, at);
      if (quoted === undefined) return { problem: `has a ${letter} that is never closed` };
      word = (word ?? '') + quoted.text;
      at = quoted.end;
    } else if (letter === '\\') {
      if (at + 1 === text.length) return { problem: 'ends in a backslash' };
      // A shell drops a backslash together with the line end after it.
      if (text[at + 1] !== '\n') word = (word ?? '') + (text[at + 1] ?? '');
      at += 2;
    } else if (/\s/.test(letter)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      at += 1;
    } else {
      word = (word ?? '') + letter;
      at += 1;
    }
  }
  if (word !== undefined) words.push(word);
  if (words.length === 0 || words[0] === '') return { problem: 'names no program' };
  return { value: words };
}

/** The first word that only a shell would understand, as `&&`; undefined when there is none. */
export function shellOperatorIn(words: readonly string[]): string | undefined {
  return words.find((word) => /^(?:&&|\|\|?|;|&|(?:[0-2]|&)?>>?(?:&[0-2])?|<)$/.test(word));
}

function readQuoted(text: string, start: number): { text: string; end: number } | undefined {
  const quote = text[start];
  let result = '';
  for (let at = start + 1; at < text.length; at += 1) {
    const letter = text[at] ?? '';
    if (letter === quote) return { text: result, end: at + 1 };
    if (quote === '"' && letter === '\\' && /["\\$`\n]/.test(text[at + 1] ?? '')) {
      at += 1;
      if (text[at] !== '\n') result += text[at] ?? '';
    } else {
      result += letter;
    }
  }
  return undefined;
}
