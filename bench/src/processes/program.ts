import { fileURLToPath } from 'node:url';
import type { Child } from './child-processes.ts';
import { childResult } from './child-result.ts';
import type { ServerContext } from './server-process.ts';

/** Programs of this folder that do one thing and print a result. */
export type ProgramName =
  | 'commit-program'
  | 'fill-program'
  | 'group-commit-program'
  | 'small-files-program'
  | 'stamp-program'
  | 'stamp-reader-program';

/** Starts a program of this folder with a plan as JSON, and reads the JSON that it prints. */
export async function runProgram<Result>(
  context: Pick<ServerContext, 'children'>,
  name: ProgramName,
  plan: unknown,
): Promise<Result> {
  const output = await childResult(startProgram(context, name, plan));
  return JSON.parse(output) as Result;
}

/** The same for one that is not to come to its end. */
export function startProgram(
  { children }: Pick<ServerContext, 'children'>,
  name: ProgramName,
  plan: unknown,
): Child {
  const file = fileURLToPath(new URL(`${name}.ts`, import.meta.url));
  return children.startNode([file, JSON.stringify(plan)]);
}

/** What `runProgram` was given, in the program. */
export function readPlan(): unknown {
  return JSON.parse(process.argv[2] ?? '');
}
