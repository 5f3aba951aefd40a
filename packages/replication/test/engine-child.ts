import { writeSync } from 'node:fs';
import { ENGINE_STEPS, EngineScenario } from './engine-scenario.ts';

const [primaryHome = '', replicaHome = '', seed = '0', steps = '10', name] = process.argv.slice(2);
const homes = [primaryHome, replicaHome] as const;
const focus = ENGINE_STEPS.find((step) => step === name);
// With a focus, only that is cut off; else the making of the nodes may be as well.
if (focus === undefined) writeSync(1, 'armed\n');
const scenario = new EngineScenario(homes, Number(seed));
await scenario.run(Number(steps));
if (focus !== undefined) {
  writeSync(1, 'armed\n');
  await scenario.focus(focus);
}
scenario.close();
