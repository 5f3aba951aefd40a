import ipaddr from 'ipaddr.js';

/** Four decimal numbers up to 255 without leading zeros. */
const DOTTED = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)$/;

/**
 * The one form of an IP address: dotted for IPv4, also when it came as IPv4-mapped IPv6, and RFC
 * 5952 for IPv6, without brackets, port and zone. Takes `1.2.3.4`, `1.2.3.4:80`, `::1`, `[::1]`,
 * `[::1]:80` and `fe80::1%eth0`.
 *
 * @returns null for anything else, shorthands such as `127.1` and octal numbers included, because
 * systems disagree about what they mean.
 */
export function normaliseAddress(text: string): string | null {
  const trimmed = text.trim();
  if (DOTTED.test(trimmed)) return trimmed;
  const bare = withoutPort(trimmed);
  if (DOTTED.test(bare)) return bare;
  if (!bare.includes(':') || bare.length > 64) return null;
  const [withoutZone = ''] = bare.split('%', 1);
  if (!ipaddr.IPv6.isValid(withoutZone)) return null;
  const address = ipaddr.IPv6.parse(withoutZone);
  return address.isIPv4MappedAddress()
    ? address.toIPv4Address().toString()
    : address.toRFC5952String();
}

function withoutPort(text: string): string {
  const bracketed = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(text);
  if (bracketed?.[1] !== undefined) return bracketed[1];
  const dotted = /^([\d.]+):\d{1,5}$/.exec(text);
  return dotted?.[1] ?? text;
}
