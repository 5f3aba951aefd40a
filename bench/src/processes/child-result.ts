import type { Child } from './child-processes.ts';

const OUTPUT_CHARACTERS_MAX = 20_000;

/** The output of a child until it ended. Throws with what it said when it failed. */
export async function childResult(child: Child): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let [output, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    errors = (errors + chunk).slice(-OUTPUT_CHARACTERS_MAX);
  });
  child.once('close', (code, signal) => resolve(signal ?? String(code)));
  const end = await promise;
  if (end !== '0') throw new Error(`A process ended with ${end}.\n${errors}`);
  return output;
}

/** The newest output of a child, which goes on being read so that the child never waits. */
export function watchOutput(child: Child): () => string {
  let output = '';
  const read = (chunk: string): void => {
    output = (output + chunk).slice(-OUTPUT_CHARACTERS_MAX);
  };
  child.stdout.setEncoding('utf8').on('data', read);
  child.stderr.setEncoding('utf8').on('data', read);
  return () => output;
}
