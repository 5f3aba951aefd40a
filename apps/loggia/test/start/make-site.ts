import { Journal } from '@loggia/journal';

/** Makes a site in the data folder that the command line names, and prints a key for its numbers. */
const [folder = '', domain = ''] = process.argv.slice(2);
using journal = Journal.open({ folder });
const nowMs = Date.now();
if (journal.sites.byDomain(domain) === undefined) {
  journal.sites.create({ domain, timezone: 'UTC', settings: {}, nowMs });
}
console.log(journal.keys.create({ name: 'test', scopes: ['stats:read'], nowMs }).key);
