import { readFile } from 'node:fs/promises';
import { HttpConnection, type HttpAnswer, type HttpRequest } from './http-connection.ts';
import { LeaseError } from './lease-error.ts';
import { parseServerUrl } from './lease-settings.ts';

const ACCOUNT_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';

/** How the Kubernetes API is reached. */
export interface KubernetesAccess {
  /** Such as `https://10.96.0.1:443`. */
  readonly apiServerUrl: string;
  /** Read again for each request: the kubelet replaces it. */
  readonly tokenFile?: string;
  /** PEM file with the certificates to trust; read again for each request. */
  readonly caFile?: string;
}

/**
 * The access that Kubernetes gives each pod, from its environment and its service account.
 *
 * @throws LeaseError `lease_bad_setting` outside a pod.
 */
export function inClusterAccess(
  environment: Readonly<Record<string, string | undefined>>,
  accountFolder: string = ACCOUNT_FOLDER,
): KubernetesAccess {
  const host = environment['KUBERNETES_SERVICE_HOST'] ?? '';
  const port = environment['KUBERNETES_SERVICE_PORT'] ?? '';
  if (host === '' || port === '') {
    throw new LeaseError(
      'lease_bad_setting',
      'KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set.',
      {
        hint: 'A lease of kind kubernetes works in a pod; elsewhere give the API server explicitly.',
      },
    );
  }
  return {
    apiServerUrl: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    tokenFile: `${accountFolder}/token`,
    caFile: `${accountFolder}/ca.crt`,
  };
}

/**
 * The namespace of the pod this runs in.
 *
 * @throws LeaseError `lease_bad_setting` when the file cannot be read.
 */
export async function readInClusterNamespace(
  accountFolder: string = ACCOUNT_FOLDER,
): Promise<string> {
  return (await readAccountFile(`${accountFolder}/namespace`)).trim();
}

/** Requests to the API server with a token that may be replaced at any time. */
export class KubernetesClient {
  readonly #access: KubernetesAccess;
  readonly #url: URL;
  #connection: HttpConnection | undefined;
  #ca: string | undefined;

  /** @throws LeaseError `lease_bad_setting` when the address is no HTTP URL. */
  constructor(access: KubernetesAccess) {
    this.#access = access;
    this.#url = parseServerUrl('The API server', access.apiServerUrl);
  }

  /**
   * One exchange. A 401 is tried once more with the token as it is then.
   *
   * @throws LeaseError as `HttpConnection.exchange`; `lease_denied` for 401 and 403.
   */
  async exchange(request: HttpRequest): Promise<HttpAnswer> {
    let answer = await this.#exchangeOnce(request);
    if (answer.status === 401) answer = await this.#exchangeOnce(request);
    mustBeAllowed(answer.status, request, answer.text);
    return answer;
  }

  /** The lines of a watch. @throws LeaseError as `exchange`. */
  async *lines(request: HttpRequest): AsyncGenerator<string> {
    const connection = await this.#connect();
    const headers = await this.#headers();
    yield* connection.lines({ ...request, headers }, (status) => {
      mustBeAllowed(status, request, '');
    });
  }

  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  async #exchangeOnce(request: HttpRequest): Promise<HttpAnswer> {
    const connection = await this.#connect();
    return connection.exchange({ ...request, headers: await this.#headers() });
  }

  async #headers(): Promise<Record<string, string>> {
    const { tokenFile } = this.#access;
    if (tokenFile === undefined) return {};
    return { authorization: `Bearer ${(await readAccountFile(tokenFile)).trim()}` };
  }

  /** One connection pool per content of the CA file. */
  async #connect(): Promise<HttpConnection> {
    const { caFile } = this.#access;
    const ca = caFile === undefined ? undefined : await readAccountFile(caFile);
    if (this.#connection === undefined || ca !== this.#ca) {
      this.#connection?.close();
      this.#connection = new HttpConnection(this.#url, ca === undefined ? {} : { ca });
      this.#ca = ca;
    }
    return this.#connection;
  }
}

async function readAccountFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new LeaseError('lease_bad_setting', `'${path}' of the service account is unreadable.`, {
      cause: error,
      retryable: true,
      hint: 'Let the pod mount its service account token (automountServiceAccountToken: true).',
    });
  }
}

function mustBeAllowed(status: number, request: HttpRequest, text: string): void {
  if (status === 401) {
    throw new LeaseError('lease_denied', 'The API server does not accept the token (401).', {
      retryable: true,
      hint: 'The token has expired or is of another cluster; see that the kubelet renews it.',
    });
  }
  if (status === 403) {
    const verb = { GET: 'get, list and watch', POST: 'create', PUT: 'update' }[request.method];
    throw new LeaseError('lease_denied', `The API server forbids it (403): ${text.slice(0, 300)}`, {
      retryable: true,
      hint:
        `Give the service account a Role with the verbs '${verb}' on leases of ` +
        'coordination.k8s.io; create cannot be limited by resourceNames.',
    });
  }
}
