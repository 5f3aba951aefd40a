import { parseCommands } from './command-line.ts';
import { oneOf, parseBoolean, scalar } from './parse-text.ts';
import { optional, setting } from './setting.ts';

const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
const FLAG = 'true or false';

/** Keys about commands, the log and the process itself. */
export const PROCESS_SETTINGS = {
  commands: optional({
    parse: parseCommands,
    otherwise: 'none',
    expects: 'a list of commands, each a text or a section with cmd, if-candidate and if-primary',
    example: 'node migrate.js',
    summary:
      'Commands that run to their end, one after the other, once the node is ready and before `exec`. ' +
      '`if-primary: true` leaves one out unless this node is primary by then, `if-candidate: true` ' +
      'unless it may become primary.',
  }),
  exec: optional({
    parse: parseCommands,
    otherwise: 'none: Tandem runs beside the application',
    expects: 'a command, or a list as in LiteFS, of which the last is the application',
    example: 'node server.js',
    summary:
      'The application, which Tandem starts, passes signals to, and ends with. In a list, all but the ' +
      'last run to their end before it, as under `commands`.',
  }),
  'skip-sync': setting({
    parse: scalar(parseBoolean),
    defaultText: 'false',
    expects: FLAG,
    example: 'true',
    summary: 'Start the commands without waiting for a primary or the first sync.',
  }),
  'exit-on-error': setting({
    parse: scalar(parseBoolean),
    defaultText: 'true',
    expects: FLAG,
    example: 'false',
    summary:
      'Whether Tandem ends when the start fails. With `false` it stays, unready, so that one can look ' +
      'into the container.',
  }),
  'log.format': setting({
    parse: scalar(oneOf(['json', 'text'] as const)),
    defaultText: 'json',
    expects: 'json or text',
    example: 'text',
    summary: 'The form of the lines on standard error.',
  }),
  'log.level': setting({
    parse: scalar(oneOf(LOG_LEVELS)),
    defaultText: 'info',
    expects: `one of ${LOG_LEVELS.join(', ')}`,
    example: 'debug',
    summary: 'The least important lines that the log still carries.',
  }),
} as const;
