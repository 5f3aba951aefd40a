import { afterEach, expect, test } from 'vitest';
import type { StreamTls } from '../src/stream-client.ts';
import { Changes, ModelNode } from './stream-nodes.ts';

/**
 * Two certificates that sign themselves, for 127.0.0.1 and the years until 2125. Each is its own
 * authority. Made with `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes`.
 */
const NODE: Required<StreamTls> = own(
  `-----BEGIN CERTIFICATE-----
MIIBhjCCASygAwIBAgIUFQDcmFFqku+GBFgkuofl5JvfEq4wCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEbm9kZTAgFw0yNjExMjIwMzUwMTFaGA8yMTI2MTAyOTAzNTAx
MVowDzENMAsGA1UEAwwEbm9kZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABCTQ
5huvglg/GiqJOKK7+3+68ugS+JB3jBINjH3egZArvO0XdcE28psuVwE3VkPP9waJ
XdwgdFl8BoFQVnYMVMOjZDBiMB0GA1UdDgQWBBRq6ZxXMR6Uj8KyI9BwOs3W053S
GDAfBgNVHSMEGDAWgBRq6ZxXMR6Uj8KyI9BwOs3W053SGDAPBgNVHREECDAGhwR/
AAABMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgEymbhYj4OVmm
rzpxkQzyDrBbN5LVQsRwTx5G695ci0UCIQCBXclJdnvIUo870gJxrOG0HPvHFS/F
Llk+sq9TONcXCA==
-----END CERTIFICATE-----`,
  `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgUOiAyvjRWArGaGHq
yUe8kqLaoehD0X+UDPhAEwEn6ZihRANCAAQk0OYbr4JYPxoqiTiiu/t/uvLoEviQ
d4wSDYx93oGQK7ztF3XBNvKbLlcBN1ZDz/cGiV3cIHRZfAaBUFZ2DFTD
-----END PRIVATE KEY-----`,
);
const OTHER: Required<StreamTls> = own(
  `-----BEGIN CERTIFICATE-----
MIIBiTCCAS6gAwIBAgIUAqySNaCK7PGAeWH+1eLJ9VX3moUwCgYIKoZIzj0EAwIw
EDEOMAwGA1UEAwwFb3RoZXIwIBcNMjYxMTIyMDM1MDExWhgPMjEyNjEwMjkwMzUw
MTFaMBAxDjAMBgNVBAMMBW90aGVyMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
kXeAh7K/6O/9JPNkYBp2KJIje7jSpY9OAMRLizu0zEw4NNWVyGEAafbW+W/NMw/L
Yp0UKFNZ3LDIhXGrEvdYtaNkMGIwHQYDVR0OBBYEFC7b5t0Yj9ko8Q0qmKh6AHaU
po1iMB8GA1UdIwQYMBaAFC7b5t0Yj9ko8Q0qmKh6AHaUpo1iMA8GA1UdEQQIMAaH
BH8AAAEwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNJADBGAiEAwhDwE6in
Kom23g8HWjlvt6pfPLUm7x/E393nlTmsTVgCIQD0+TvsxXbY+UotOcL97AYHCHgb
Y8AT62Cs6o9WluNlOw==
-----END CERTIFICATE-----`,
  `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgYQCfPeQX8omoV9ds
9M/xl6TLfzRRypOFsOK1+AShTZGhRANCAASRd4CHsr/o7/0k82RgGnYokiN7uNKl
j04AxEuLO7TMTDg01ZXIYQBp9tb5b80zD8tinRQoU1ncsMiFcasS91i1
-----END PRIVATE KEY-----`,
);

function own(cert: string, key: string): Required<StreamTls> {
  return { ca: cert, cert, key };
}

const nodes: ModelNode[] = [];

afterEach(async () => {
  for (const node of nodes.splice(0)) await node.stop();
});

/** A replica with this TLS, connecting to a primary that takes on those with its certificate. */
async function connect(clientTls: StreamTls): Promise<ModelNode> {
  const changes = new Changes();
  const primary = await ModelNode.start('n1', changes, {
    serverTls: { ...NODE, requestCert: true, rejectUnauthorized: false },
    access: { acceptsCertificates: true },
  });
  primary.lead(1);
  primary.commit([1, 2, 3]);
  const replica = await ModelNode.start('n2', changes, { clientTls });
  nodes.push(replica, primary);
  replica.follow(primary.url);
  await changes.until(() => replica.ends.length > 0 || replica.hasSameAs(primary));
  return replica;
}

test('a replica with a certificate of the authority is let in, over TLS', async () => {
  const replica = await connect(NODE);
  expect(replica.ends).toEqual([]);
  expect(replica.database('a.db').position()).toEqual({ epoch: 1, txid: 1 });
});

test('a replica without a certificate is refused', async () => {
  const replica = await connect({ ca: NODE.ca });
  expect(replica.ends[0]).toMatchObject({ kind: 'refused', code: 'http_401' });
});

test('a replica with a certificate of another authority is refused', async () => {
  const replica = await connect({ ...OTHER, ca: NODE.ca });
  expect(replica.ends[0]).toMatchObject({ kind: 'refused', code: 'http_401' });
});

test('a primary with a certificate of another authority is not spoken to', async () => {
  const replica = await connect(OTHER);
  expect(replica.ends[0]).toMatchObject({ kind: 'lost' });
  expect(replica.ends[0]?.message).toContain('self-signed certificate');
});
