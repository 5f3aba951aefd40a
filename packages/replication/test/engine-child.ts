import { writeSync } from 'node:fs';
import { EngineScenario } from './engine-scenario.ts';

const [primaryHome = '', replicaHome = '', seed = '0', steps = '10'] = process.argv.slice(2);
writeSync(1, 'armed\n');
await new EngineScenario([primaryHome, replicaHome], Number(seed)).run(Number(steps));
