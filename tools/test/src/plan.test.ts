import { describe, expect, it } from 'vitest';
import { PROJECTS, parsePlan } from './plan.ts';

describe('parsePlan', () => {
  it('runs everything when nothing is said', () => {
    expect(parsePlan([])).toEqual({ staticChecks: true, projects: PROJECTS, filters: [] });
  });

  it('narrows to the projects named, in their own order', () => {
    expect(parsePlan(['--project', 'crash', '--project=unit'])).toEqual({
      staticChecks: false,
      projects: ['unit', 'crash'],
      filters: [],
    });
    expect(parsePlan(['--project', 'static'])).toEqual({
      staticChecks: true,
      projects: [],
      filters: [],
    });
  });

  it('narrows to files', () => {
    expect(parsePlan(['packages/base'])).toEqual({
      staticChecks: false,
      projects: PROJECTS,
      filters: ['packages/base'],
    });
  });

  it.each([[['--project']], [['--project', 'units']], [['--fast']], [['-h']]])(
    'does not guess at %j',
    (parameters) => {
      expect(parsePlan(parameters)).toBeUndefined();
    },
  );
});
