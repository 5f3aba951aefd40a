import { formatConfigCheck } from '../config/config-check.ts';
import { readConfig } from '../config/read-config.ts';
import { type Command, CONFIG_FLAGS, configRequestOf } from './command.ts';

/** `tandem config check`. */
export const CONFIG_COMMAND: Command = {
  summary: 'print the effective configuration with the origin of each value, and what is wrong',
  usage: 'check',
  flags: { ...CONFIG_FLAGS, json: { type: 'boolean', summary: 'print JSON' } },
  wordsMin: 1,
  wordsMax: 1,
  takesCommand: true,
  run: async (invocation) => {
    if (invocation.words[0] !== 'check') {
      invocation.complain(
        `tandem config: there is no '${invocation.words[0] ?? ''}', only 'check'.`,
      );
      return 2;
    }
    const report = readConfig(configRequestOf(invocation));
    const { output, exitCode } = formatConfigCheck(report, invocation.flags['json'] === true);
    invocation.print(output);
    return exitCode;
  },
};
