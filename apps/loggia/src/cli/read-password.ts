import { StringDecoder } from 'node:string_decoder';
import { passwordProblem } from '../accounts/password.ts';
import { CommandError } from './command-error.ts';
import type { Terminal } from './terminal.ts';

/** More than any password; a file given by mistake is not read to its end. */
const INPUT_BYTES_MAX = 16_384;

/**
 * A new password from standard input or, at a terminal, from a prompt that does not echo and asks
 * twice.
 *
 * @throws CommandError `usage` when there is nobody to ask, `bad_password` when it is too short or
 *   the two entries differ, `cancelled` for Ctrl-C.
 */
export async function readNewPassword(terminal: Terminal, fromStdin: boolean): Promise<string> {
  if (fromStdin) return checked(await readAll(terminal));
  if (terminal.stdin.isTTY !== true) {
    throw new CommandError('usage', 'There is no terminal to ask for the password at.', {
      hint: 'Give it on standard input with --password-stdin.',
    });
  }
  const password = checked(await promptHidden(terminal, 'Password: '));
  const again = await promptHidden(terminal, 'Once more: ');
  if (password !== again) {
    throw new CommandError('bad_password', 'The two entries differ.', { hint: 'Try once more.' });
  }
  return password;
}

function checked(password: string): string {
  const problem = passwordProblem(password);
  if (problem !== undefined) {
    throw new CommandError('bad_password', problem, { hint: 'Choose another password.' });
  }
  return password;
}

async function readAll(terminal: Terminal): Promise<string> {
  const decoder = new StringDecoder('utf8');
  let text = '';
  for await (const chunk of terminal.stdin) {
    text += typeof chunk === 'string' ? chunk : decoder.write(Buffer.from(chunk));
    if (text.length > INPUT_BYTES_MAX) break;
  }
  return (text + decoder.end()).replace(/\r?\n$/, '');
}

/** Asks for one line on standard error without echo. */
async function promptHidden(terminal: Terminal, question: string): Promise<string> {
  const { stdin, stderr } = terminal;
  const decoder = new StringDecoder('utf8');
  const entry = new HiddenEntry();
  stderr.write(question);
  stdin.setRawMode?.(true);
  try {
    return await new Promise<string>((resolve, reject) => {
      const onEnd = () => {
        stdin.off('data', onData);
        reject(cancelled());
      };
      const onData = (chunk: string | Uint8Array) => {
        entry.type(typeof chunk === 'string' ? chunk : decoder.write(Buffer.from(chunk)));
        if (entry.state === 'typing') return;
        stdin.off('data', onData);
        stdin.off('end', onEnd);
        if (entry.state === 'done') resolve(entry.text);
        else reject(cancelled());
      };
      stdin.on('data', onData);
      stdin.on('end', onEnd);
      stdin.resume();
    });
  } finally {
    stdin.setRawMode?.(false);
    stdin.pause();
    stderr.write('\n');
  }
}

function cancelled(): CommandError {
  return new CommandError('cancelled', 'Cancelled.', { hint: 'Nothing was changed.' });
}

/** One line that is typed at a terminal in raw mode, key by key. */
export class HiddenEntry {
  #characters: string[] = [];
  #state: 'typing' | 'done' | 'cancelled' = 'typing';

  get state(): 'typing' | 'done' | 'cancelled' {
    return this.#state;
  }

  get text(): string {
    return this.#characters.join('');
  }

  /** Takes what was typed or pasted; whatever comes after the line's end is ignored. */
  type(keys: string): void {
    for (const key of keys) {
      if (this.#state !== 'typing') return;
      if (key === '\r' || key === '\n') this.#state = 'done';
      else if (key === '\u0003') this.#state = 'cancelled';
      else if (key === '\u0004') this.#state = this.#characters.length > 0 ? 'done' : 'cancelled';
      else if (key === '\u007F' || key === '\b') this.#characters.pop();
      else if (key === '\u0015') this.#characters = [];
      else if (key >= ' ') this.#characters.push(key);
    }
  }
}
