import { expect, it } from 'vitest';
import { childEnvironment } from './child-environment.ts';

const FACTS = {
  url: 'http://127.0.0.1:20202',
  primaryFile: '/run/tandem/.primary',
  databasesFolder: '/data',
};

it('adds what a command needs of the daemon, whatever it was before', () => {
  expect(childEnvironment({ PATH: '/bin', TANDEM_URL: 'http://elsewhere' }, FACTS)).toEqual({
    PATH: '/bin',
    TANDEM_URL: 'http://127.0.0.1:20202',
    TANDEM_PRIMARY_FILE: '/run/tandem/.primary',
    TANDEM_DATABASES: '/data',
  });
});

it('keeps the named secrets from commands', () => {
  const environment = { TANDEM_TOKEN: 'secret', APP_TOKEN: 'own' };
  expect(childEnvironment(environment, FACTS, ['TANDEM_TOKEN'])).toEqual({
    APP_TOKEN: 'own',
    TANDEM_URL: FACTS.url,
    TANDEM_PRIMARY_FILE: FACTS.primaryFile,
    TANDEM_DATABASES: FACTS.databasesFolder,
  });
});
