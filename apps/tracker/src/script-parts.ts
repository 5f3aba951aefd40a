/**
 * The browser code of each feature, in the order in which a script carries them: a tag claims a
 * click before links look at it, filters that change come before those that only look, and `init`
 * begins when all others are in place.
 */
export const FRAGMENT_NAMES = [
  'tagged',
  'links',
  'forms',
  'page-properties',
  'exclusions',
  'privacy-control',
  'transform',
  'not-found',
  'init',
] as const;
export type FragmentName = (typeof FRAGMENT_NAMES)[number];

/** Minified pieces that make a script when joined inside one function. */
export interface ExtensibleParts {
  /** Statements that define everything and do nothing yet. */
  readonly kernel: string;
  /** The kernel's name of its settings object. */
  readonly settings: string;
  /** The statement that begins. */
  readonly start: string;
  /** Statements that add a feature to the kernel before it begins. */
  readonly fragments: Readonly<Record<FragmentName, string>>;
}

/** All that scripts are composed of; made by the build, never by hand. */
export interface ScriptParts {
  /** The whole script without any feature. */
  readonly standalone: string;
  readonly modern: ExtensibleParts;
  /** The same in the syntax of 2018. */
  readonly compat: ExtensibleParts;
}
