import type { ReplicatedDatabase } from './replicated-database.ts';

/** Who reads a node's logs beside its replicas: its backup. */
export interface LogConsumer {
  /** The lowest transaction of the database that it still needs; undefined when it needs none. */
  neededFrom(database: ReplicatedDatabase): number | undefined;
  /**
   * The file of the database is gone; what was committed before can be read until the promise
   * settles, which it does before long. Undefined when there is nothing to wait for.
   */
  leave(database: ReplicatedDatabase): Promise<void> | undefined;
}
