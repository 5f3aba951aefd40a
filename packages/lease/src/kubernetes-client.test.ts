import { expect, it } from 'vitest';
import { inClusterAccess, KubernetesClient } from './kubernetes-client.ts';

it('the access of a pod comes from its environment and its service account', () => {
  const environment = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };
  expect(inClusterAccess(environment, '/account')).toEqual({
    apiServerUrl: 'https://[fd00::1]:443',
    tokenFile: '/account/token',
    caFile: '/account/ca.crt',
  });
  expect(() => inClusterAccess({})).toThrow(
    expect.objectContaining({ code: 'lease_bad_setting', hint: expect.stringContaining('pod') }),
  );
});

it('a token that is not mounted is said to be', async () => {
  const client = new KubernetesClient({
    apiServerUrl: 'http://127.0.0.1:1',
    tokenFile: '/no/such/token',
  });
  const request = { method: 'GET', path: '/', timeoutMs: 1000 } as const;
  await expect(client.exchange(request)).rejects.toMatchObject({
    code: 'lease_bad_setting',
    hint: expect.stringContaining('automountServiceAccountToken'),
  });
  client.close();
});
