import type { VisitAttributes } from '@loggia/contract';
import { DEMO_DEVICES, browserVersionAt } from './demo-devices.ts';
import type { DemoOrigin } from './demo-origins.ts';
import { DEMO_PLACES } from './demo-places.ts';
import type { Prng } from './prng.ts';
import { WeightedChoice } from './weighted-choice.ts';

/** Somebody who visits a site on one day. */
export interface DemoPerson {
  readonly visitor: bigint;
  readonly attributes: Omit<VisitAttributes, keyof DemoOrigin['attributes']>;
  /** The end of the latest visit. */
  seenMs: number;
}

const PLACES = new WeightedChoice(DEMO_PLACES, (place) => place.weight);
const DEVICES = new WeightedChoice(DEMO_DEVICES, (device) => device.weight);

/** Somebody new; `visitor` is an id that nobody else has on that site and day. */
export function demoPerson(visitor: bigint, timeMs: number, prng: Prng): DemoPerson {
  const place = PLACES.pick(prng);
  const device = DEVICES.pick(prng);
  return {
    visitor,
    seenMs: timeMs,
    attributes: {
      country: place.country,
      region: place.region,
      region_name: place.regionName,
      city: place.city,
      city_name: place.cityName,
      browser: device.browser,
      browser_version: browserVersionAt(device.browser, timeMs),
      os: device.os,
      os_version: device.osVersion,
      device: device.device,
      screen: device.screen,
      language: prng.chance(0.2) ? 'en' : place.language,
    },
  };
}
