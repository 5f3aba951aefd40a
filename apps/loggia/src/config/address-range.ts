import { isIP } from 'node:net';
import { LOOPBACK_RANGES, PRIVATE_RANGES } from '@tandem/base';
import type { Parsed } from './parsed.ts';

/** Reads an IP address or a range in CIDR form; the result always has a prefix length. */
export function parseAddressRange(text: string): Parsed<string> {
  const [address = '', prefix, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) {
    return {
      problem: `has '${text}', which is neither an IP address nor a range such as 10.0.0.0/8`,
    };
  }
  const prefixMax = family === 4 ? 32 : 128;
  if (prefix === undefined) return { value: `${address}/${prefixMax}` };
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > prefixMax) {
    return { problem: `has '${text}', whose prefix length is not between 0 and ${prefixMax}` };
  }
  return { value: `${address}/${Number(prefix)}` };
}

/** Reads a list of ranges, parted by commas or spaces, with the words private, loopback, none. */
export function parseAddressRanges(text: string): Parsed<readonly string[]> {
  const items = text.split(/[\s,]+/).filter((item) => item !== '');
  const ranges = new Set<string>();
  for (const item of items) {
    const word = item.toLowerCase();
    if (word === 'none') {
      if (items.length > 1) return { problem: "has 'none' beside other ranges" };
    } else if (word === 'private') {
      for (const range of PRIVATE_RANGES) ranges.add(range);
    } else if (word === 'loopback') {
      for (const range of LOOPBACK_RANGES) ranges.add(range);
    } else {
      const parsed = parseAddressRange(item);
      if ('problem' in parsed) return parsed;
      ranges.add(parsed.value);
    }
  }
  return { value: [...ranges] };
}
