import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { browserViolations } from './browser-safety.ts';
import { citationViolations } from './citations.ts';
import { recordViolations } from './decision-records.ts';
import { declarationViolations } from './declared-imports.ts';
import { errorTableViolations, errorTables } from './error-tables.ts';
import { cycleViolations } from './import-cycles.ts';
import { invariantViolations } from './invariants.ts';
import { layerViolations } from './layers.ts';
import { licenceViolations } from './licences.ts';
import { linkViolations } from './links.ts';
import { lockViolations } from './lockfile.ts';
import { manifestViolations } from './manifests.ts';
import { nameViolations } from './names.ts';
import { purityViolations } from './purity.ts';
import { readRepository } from './read-repository.ts';
import { violationText, type Rule } from './repository.ts';
import { sizeViolations } from './size-ratchet.ts';
import { suppressionViolations } from './suppressions.ts';
import { unfinishedViolations } from './unfinished-work.ts';
import { workspaceImports, workspacePackages } from './workspace.ts';

const RULES: Readonly<Record<string, Rule>> = {
  'packages import only from lower layers, through entry points': layerViolations,
  'packages declare what they import and use what they declare': declarationViolations,
  'no file imports itself in a circle': cycleViolations,
  'what a browser runs needs nothing of Node.js': browserViolations,
  'pure packages touch nothing': purityViolations,
  'files stay below the size limits': (repository) => sizeViolations(repository),
  'silenced checks have a reason': suppressionViolations,
  'files and folders are named for what they hold': nameViolations,
  'nothing unfinished is left': unfinishedViolations,
  'links in documents lead somewhere': linkViolations,
  'documents cite files and symbols that exist': citationViolations,
  'packages say what they are and pin exact versions': manifestViolations,
  'the lock file holds hashes and no addresses': lockViolations,
  'everything shipped is permissively licensed and listed': licenceViolations,
  'every dependency has been decided on': recordViolations,
  'the program and the reference list the same errors': errorTableViolations,
  'invariants are cited where they are kept and tested': invariantViolations,
};

// The time grows with the repository, and the first rule pays for reading it.
describe('the repository', { timeout: 60_000 }, () => {
  const repository = readRepository(fileURLToPath(new URL('../../..', import.meta.url)));

  it.each(Object.entries(RULES))('%s', (_, rule) => {
    expect(rule(repository).map(violationText)).toEqual([]);
  });

  // Against rules that pass because they saw nothing.
  it('is really read', () => {
    expect(workspacePackages(repository).map(({ name }) => name)).toContain('@tandem/base');
    expect(workspaceImports(repository).length).toBeGreaterThan(50);
    expect(errorTables(repository).map(({ name }) => name)).toContain('DROP_REASONS');
  });
});
