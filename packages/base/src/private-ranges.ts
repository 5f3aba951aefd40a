/** The addresses by which a machine speaks to itself, in CIDR form. */
export const LOOPBACK_RANGES: readonly string[] = ['127.0.0.0/8', '::1/128'];

/**
 * The addresses from which nothing comes over the open Internet, in CIDR form: loopback, private
 * networks, link-local, carrier-grade (which some clouds give to pods) and unique local ones.
 */
export const PRIVATE_RANGES: readonly string[] = [
  ...LOOPBACK_RANGES,
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '100.64.0.0/10',
  'fe80::/10',
  'fc00::/7',
];
