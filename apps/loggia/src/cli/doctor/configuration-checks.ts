import type { ConfigurationReport } from '../../config/configuration.ts';
import { failure, ok, warning, type Check } from './check.ts';

/** Looks at what the configuration says, without asking the system whether it is so. */
export function configurationChecks(
  { configuration, problems }: ConfigurationReport,
  missingFiles: readonly string[],
): readonly Check[] {
  const { values, origins, notices } = configuration;
  const checks = problems.map((problem) =>
    failure('configuration', problem.message, problem.hint ?? 'Correct it.'),
  );
  if (checks.length === 0) checks.push(ok('configuration', 'All settings are valid.'));
  const isLocal = values.listen.kind === 'tcp' && /^(?:127\.|::1$)/.test(values.listen.host);
  if (origins.baseUrl.kind === 'default' && !isLocal) {
    checks.push(
      warning(
        'base_url',
        `base_url is not set, so snippets point to ${values.baseUrl}.`,
        'Set it to the address that browsers use, such as https://stats.example.org.',
      ),
    );
  }
  for (const path of missingFiles) {
    checks.push(
      warning('database_file', `${path} is not there.`, 'It is read as soon as it appears.'),
    );
  }
  for (const notice of notices) {
    checks.push(ok('ignored_variable', notice.message));
  }
  return checks;
}
