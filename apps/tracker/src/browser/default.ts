import { start } from './kernel.ts';

start();
