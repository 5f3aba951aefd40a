import { expect, it } from 'vitest';
import { makeNodeIdentity } from './node-identity.ts';

const advertiseUrl = 'http://10.0.0.7:20202';

it('an identity tells apart the starts of one node', () => {
  const first = makeNodeIdentity({ name: 'app-0', uid: 'u1', bootId: 'b1', advertiseUrl });
  const second = makeNodeIdentity({ name: 'app-0', uid: 'u1', bootId: 'b2', advertiseUrl });
  expect(first).toEqual({ id: 'app-0_u1_b1', name: 'app-0', advertiseUrl });
  expect(second.id).not.toBe(first.id);
  expect(second.name).toBe(first.name);
});

it.each(['0.0.0.0', '127.0.0.1', 'localhost', 'LocalHost', '', '-app', 'a b', '::1'])(
  "the name '%s', as an overridden HOSTNAME gives it, is refused",
  (name) => {
    expect(() => makeNodeIdentity({ name, bootId: 'b', advertiseUrl })).toThrow(
      expect.objectContaining({
        code: 'lease_bad_node_name',
        hint: expect.stringContaining('HOSTNAME'),
      }),
    );
  },
);

it.each(['10.0.0.7:20202', 'ftp://host', ''])("the advertise URL '%s' is refused", (url) => {
  const facts = { name: 'app-0', bootId: 'b', advertiseUrl: url };
  expect(() => makeNodeIdentity(facts)).toThrow(
    expect.objectContaining({ code: 'lease_bad_setting' }),
  );
});
