import { Journal } from '../src/journal.ts';

const [folder = '', fatalStep = ''] = process.argv.slice(2);

/** Opens a journal and is killed at the step of that name; prints the steps that it comes to. */
Journal.open({
  folder,
  onMigrationStep: (step) => {
    if (step === fatalStep) process.kill(process.pid, 'SIGKILL');
    process.stdout.write(`${step}\n`);
  },
}).close();
