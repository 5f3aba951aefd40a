import { fc, test as propertyTest } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { ModelClock } from '../test/stream-model.ts';
import { Acknowledgements, type AcknowledgementPolicy } from './acknowledgements.ts';
