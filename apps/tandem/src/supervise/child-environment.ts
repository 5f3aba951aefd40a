export interface ChildFacts {
  /** Where the daemon's HTTP interface answers programs of this machine. */
  readonly url: string;
  /** The `.primary` file for scripts. */
  readonly primaryFile: string;
  /** The folder with the databases. */
  readonly databasesFolder: string;
}

/**
 * The environment of supervised commands: the daemon's own, with what they need of it. The daemon's
 * secrets are left out: the application needs none of them, and what it has, its children have.
 */
export function childEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  { url, primaryFile, databasesFolder }: ChildFacts,
  secretNames: readonly string[] = [],
): Record<string, string | undefined> {
  const inherited = Object.entries(environment).filter(([name]) => !secretNames.includes(name));
  return {
    ...Object.fromEntries(inherited),
    TANDEM_URL: url,
    TANDEM_PRIMARY_FILE: primaryFile,
    TANDEM_DATABASES: databasesFolder,
  };
}
