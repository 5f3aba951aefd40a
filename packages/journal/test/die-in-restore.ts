import { restoreBackup } from '../src/restore.ts';

const [source = '', folder = '', fatalStep = ''] = process.argv.slice(2);

/** Restores a backup and is killed at the step of that name; prints the steps that it comes to. */
restoreBackup({
  source,
  folder,
  isReplacing: true,
  onStep: (step) => {
    if (step === fatalStep) process.kill(process.pid, 'SIGKILL');
    process.stdout.write(`${step}\n`);
  },
});
