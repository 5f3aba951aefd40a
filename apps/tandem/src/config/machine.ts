/** What keeps a folder from being used; `place` is the folder itself or the nearest that exists. */
export interface FolderFault {
  readonly kind: 'not-a-folder' | 'read-only' | 'denied' | 'other';
  readonly place: string;
  /** Such as `uid 0, gid 0 with mode 0755`; empty where the system does not tell. */
  readonly owner: string;
  /** The system's own code, such as EACCES. */
  readonly systemCode: string;
}

/** What is known of a folder without touching it. */
export interface FolderState {
  readonly exists: boolean;
  /** Null when this process can write in it or, if it does not exist, make it. */
  readonly fault: FolderFault | null;
  readonly fileSystem: 'local' | 'network' | 'fuse';
}

/** What came of looking for a program or reading a file. */
export type Finding<Value> = { readonly value: Value } | { readonly problem: string };

/**
 * What a configuration is checked against, besides its text. The checks only ask; nothing is
 * created or changed. `systemMachine` is the real one.
 */
export interface Machine {
  /** The name of the host; the variable HOSTNAME may say something else. */
  readonly hostName: string;
  /** Null where there is none. */
  readonly homeFolder: string | null;
  readonly cwd: string;
  /** User and group of this process; null where the system has none. */
  readonly uid: number | null;
  readonly gid: number | null;
  inspectFolder(path: string): FolderState;
  /** The text of a file, or why it cannot be read, as a clause that fits after 'which'. */
  readText(path: string): Finding<string>;
  /**
   * The absolute path of the program that `word` names, relative to `cwd` or, without a slash, in
   * the folders of `searchPath`; or why there is none, as a clause.
   */
  findProgram(word: string, searchPath: string): Finding<string>;
}
