import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/**
 * - `open`: bytes pass;
 * - `away`: connections are cut, new ones too;
 * - `stalled`: connections are accepted and nothing passes;
 * - `mute`: requests arrive, answers do not.
 */
export type GateMode = 'open' | 'away' | 'stalled' | 'mute';

/** A TCP proxy before a server, with faults. Bytes held back are lost with their connection. */
export class FaultGate {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #mode: GateMode = 'open';

  private constructor(targetPort: number) {
    this.#server = createServer((client) => this.#join(client, targetPort));
  }

  static async before(targetPort: number): Promise<FaultGate> {
    const gate = new FaultGate(targetPort);
    await new Promise<void>((resolve) => gate.#server.listen(0, '127.0.0.1', resolve));
    return gate;
  }

  get url(): string {
    const address = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${address.port}`;
  }

  /** Changes the mode; connections that the old mode held up are cut. */
  set(mode: GateMode): void {
    if (mode !== 'mute' || this.#mode !== 'open') this.#cut();
    this.#mode = mode;
  }

  async close(): Promise<void> {
    this.#cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #cut(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  #join(client: Socket, targetPort: number): void {
    if (this.#mode === 'away') {
      client.destroy();
      return;
    }
    const target = connect(targetPort, '127.0.0.1');
    for (const socket of [client, target]) {
      this.#sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        client.destroy();
        target.destroy();
      });
    }
    client.on('data', (bytes) => {
      if (this.#mode !== 'stalled') target.write(bytes);
    });
    target.on('data', (bytes) => {
      if (this.#mode === 'open') client.write(bytes);
    });
  }
}
