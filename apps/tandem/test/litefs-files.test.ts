import { describe, expect, test } from 'vitest';
import { ConsulAgent } from '@tandem/lease/consul-agent';
import { APPLICATION, DaemonFixture, notes, post } from './daemon-fixture.ts';
import { DaemonProcess, TOKEN, until, type NodePorts } from './daemon-process.ts';

/** Whole litefs.yml files, of the form that LiteFS ships and documents, in two real daemons each. */

const fixture = new DaemonFixture();

function litefsFile(lease: readonly string[], exec: string): string {
  return `# The path of the mount, which applications use.
fuse:
  dir: "./databases"
  allow-other: false
data:
  dir: "./state"
  compress: true
  retention: "10m"
  retention-monitor-interval: "1m"
exit-on-error: false
skip-sync: false
strict-verify: false
http:
  addr: ":\${API_PORT}"
proxy:
  addr: ":\${PROXY_PORT}"
  target: "localhost:\${APP_PORT}"
  db: "app.db"
  max-lag: "10s"
  debug: false
  passthrough:
    - "*.css"
    - "*.png"
  always-forward: []
  primary-redirect-timeout: "5s"
lease:
${lease.map((line) => `  ${line}\n`).join('')}log:
  format: "text"
  timestamp: false
  debug: false
tracing:
  enabled: true
  path: ""
  max-size: 64
  max-count: 10
  compress: true
exec:
  - cmd: "true"
    if-candidate: true
  - cmd: ${JSON.stringify(exec)}
`;
}

/** The application as a line of a shell, with the node's port. */
function commandOf(): string {
  const [program = '', script = ''] = APPLICATION;
  return `${program} ${script} \${FOLDER}/databases/app.db \${APP_PORT}`;
}

function start(
  name: string,
  ports: NodePorts,
  file: { readonly text: string; readonly env: Readonly<Record<string, string>> },
): Promise<DaemonProcess> {
  const folder = fixture.folder();
  const env = {
    POD_NAME: name,
    FOLDER: folder,
    API_PORT: String(ports.api),
    PROXY_PORT: String(ports.proxy),
    APP_PORT: String(ports.application),
    TANDEM_HTTP_TOKEN: TOKEN,
    ...file.env,
  };
  const config = { name: 'litefs.yml', text: file.text };
  const base = { name, folder, settings: [], application: [] };
  const node = DaemonProcess.start({ ...base, config, env }, ports);
  fixture.onEnd(() => node.kill());
  return node.ready();
}

async function expectReplicated(writer: DaemonProcess, reader: DaemonProcess, text: string) {
  expect(await post(writer, text)).toBe(201);
  await until(async () => (await notes(reader)).at(-1) === text, `${text} is on the other node`);
}

describe('a litefs.yml as LiteFS documents it', () => {
  test('with a static lease, the same on both nodes but for one variable', async () => {
    const ports = [await DaemonProcess.ports(), await DaemonProcess.ports()] as const;
    const lease = [
      'type: "static"',
      'hostname: "web-0"',
      `advertise-url: "http://127.0.0.1:${ports[0].api}"`,
      'candidate: ${IS_PRIMARY}',
      'promote: false',
      'reconnect-delay: "1s"',
      'demote-delay: "10s"',
    ];
    const text = litefsFile(lease, commandOf());
    const one = await start('web-0', ports[0], { text, env: { IS_PRIMARY: 'true' } });
    const two = await start('web-1', ports[1], { text, env: { IS_PRIMARY: 'false' } });
    await expectReplicated(one, two, 'written at the primary');
    await expectReplicated(two, one, 'forwarded by the replica');
    expect(await one.info()).toMatchObject({ isPrimary: true, candidate: true });
    expect(await two.info()).toMatchObject({
      isPrimary: false,
      candidate: false,
      primary: { hostname: 'web-0', url: `http://127.0.0.1:${ports[0].api}` },
    });
  });

  test('with Consul, which moves the lease when the primary is ended', async () => {
    const agent = await ConsulAgent.start({ nowMs: 0 });
    fixture.onEnd(() => agent.close());
    const ports = [await DaemonProcess.ports(), await DaemonProcess.ports()] as const;
    const lease = [
      'type: "consul"',
      'advertise-url: "http://127.0.0.1:${API_PORT}"',
      'candidate: true',
      'promote: true',
      'consul:',
      '  url: "${CONSUL_URL}"',
      '  key: "litefs/primary"',
      '  ttl: "10s"',
      '  lock-delay: "1s"',
    ];
    const text = litefsFile(lease, commandOf());
    const env = { CONSUL_URL: `http://127.0.0.1:${agent.port}` };
    const one = await start('web-0', ports[0], { text, env });
    expect(await post(one, 'written at the first')).toBe(201);
    // `promote: true` makes the second primary as soon as it has everything.
    const two = await start('web-1', ports[1], { text, env });
    expect(await two.info()).toMatchObject({ isPrimary: true, lease: 'consul' });
    await expectReplicated(one, two, 'forwarded by the first');
    expect(await two.terminate()).toBe(143);
    await until(async () => (await one.info())['isPrimary'] === true, 'the first takes over');
    expect(await post(one, 'written after the hand-off')).toBe(201);
    expect(await notes(one)).toHaveLength(3);
  });
});
