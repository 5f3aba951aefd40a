/** Where a value came from. */
export type Origin =
  | { readonly kind: 'flag'; readonly name: string }
  | { readonly kind: 'environment'; readonly name: string }
  | { readonly kind: 'file'; readonly file: string; readonly line: number }
  /** Worked out from something else, which `from` names. */
  | { readonly kind: 'derived'; readonly from: string }
  | { readonly kind: 'default' };

/** The origin in a word or two: `--set`, `env TANDEM_LOG_LEVEL`, `/etc/tandem.yml:12`, `default`. */
export function formatOrigin(origin: Origin): string {
  switch (origin.kind) {
    case 'flag':
      return origin.name;
    case 'environment':
      return `env ${origin.name}`;
    case 'file':
      return `${origin.file}:${origin.line}`;
    case 'derived':
      return `from ${origin.from}`;
    case 'default':
      return 'default';
  }
}
