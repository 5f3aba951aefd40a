import { startCommand } from './cli/start-command.ts';

const [command, ...words] = process.argv.slice(2);
const separator = words.indexOf('--');
const flags = separator === -1 ? words : words.slice(0, separator);
const configAt = flags.indexOf('--config');
if (command === 'start') {
  process.exitCode = await startCommand({
    configFlag: configAt === -1 ? null : (flags[configAt + 1] ?? null),
    command: separator === -1 ? null : words.slice(separator + 1),
    env: process.env,
  });
}
