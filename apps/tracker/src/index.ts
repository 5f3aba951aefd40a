export { scriptIdOf, scriptNamed, scriptWith } from './served-script.ts';
export type { ScriptOptions } from './served-script.ts';
export type { Script } from './script.ts';
