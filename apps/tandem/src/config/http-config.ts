import type { Draft } from './draft.ts';
import { subjectOf } from './given-value.ts';
import { formatListenAddress, isLoopbackHost, type ListenAddress } from './listen-address.ts';
import { parseToken } from './parse-text.ts';
import { needTogether, readNamedFile } from './requirement.ts';
import type { HttpConfig } from './tandem-config.ts';

const PORT = 20_202;
const TOKEN_HINT =
  'Give all nodes the same secret, by http.token, http.token-file or the variable ' +
  "TANDEM_HTTP_TOKEN; 'openssl rand -hex 32' makes one.";

/** Where the HTTP interface listens and whom it lets in. */
export function httpConfigOf(draft: Draft, isAlone: boolean): HttpConfig {
  const { values } = draft;
  const token = tokenOf(draft);
  const tls = tlsOf(draft);
  const isGuarded =
    token !== null ||
    tls?.requireClientCertificate === true ||
    draft.isGiven('http.token') ||
    draft.isGiven('http.token-file');
  const listen = listenOf(draft, isAlone, isGuarded);
  const isOpenOnLoopback = values['http.open-on-loopback'] ?? !isGuarded;
  if (!draft.isGiven('http.open-on-loopback')) {
    const from = isGuarded ? 'there being a token or certificates' : 'there being no token';
    draft.derive('http.open-on-loopback', String(isOpenOnLoopback), from);
  }
  if (!isGuarded && !isLoopbackHost(listen.host)) refuseOpen(draft, listen);
  else if (!isGuarded && !isOpenOnLoopback) {
    draft.findings.error(
      'config_missing',
      'http.token',
      'http.open-on-loopback is false and there is no token, so that nobody would be let in.',
      TOKEN_HINT,
    );
  }
  return { listen, token, isOpenOnLoopback, tls };
}

function tokenOf(draft: Draft): string | null {
  const token = draft.values['http.token'];
  const fileGiven = draft.given('http.token-file');
  if (fileGiven === undefined) return token;
  if (draft.isGiven('http.token')) {
    const message = `${subjectOf(fileGiven)} is given beside http.token.`;
    draft.findings.error('config_conflict', fileGiven, message, 'Remove one of the two.');
    return token;
  }
  const text = readNamedFile(draft, 'http.token-file')?.trim();
  if (text === undefined) return null;
  const parsed = text === '' ? { problem: 'is empty' } : parseToken(text);
  if ('value' in parsed) {
    draft.derive('http.token', '(set)', 'http.token-file');
    return parsed.value;
  }
  const message = `The token in ${draft.values['http.token-file'] ?? ''} ${parsed.problem}.`;
  draft.findings.error('config_bad_value', fileGiven, message, TOKEN_HINT);
  return null;
}

function tlsOf(draft: Draft): HttpConfig['tls'] {
  const { values } = draft;
  needTogether(draft, 'http.tls.cert', 'http.tls.key');
  for (const key of ['http.tls.cert', 'http.tls.key', 'http.tls.ca'] as const) {
    readNamedFile(draft, key);
  }
  const certFile = values['http.tls.cert'];
  const keyFile = values['http.tls.key'];
  const caFile = values['http.tls.ca'];
  const requireClientCertificate = values['http.tls.require-client-certificate'];
  const missing = certFile === null ? 'http.tls.cert' : 'http.tls.ca';
  if (requireClientCertificate && (certFile === null || caFile === null)) {
    draft.findings.error(
      'config_missing',
      draft.subject('http.tls.require-client-certificate'),
      `http.tls.require-client-certificate is true, but ${missing} is not given.`,
      'Client certificates need http.tls.cert, http.tls.key and http.tls.ca.',
    );
  }
  if (certFile === null || keyFile === null) return null;
  return { certFile, keyFile, caFile, requireClientCertificate };
}

function listenOf(draft: Draft, isAlone: boolean, isGuarded: boolean): ListenAddress {
  const configured = draft.values['http.listen'];
  if (configured !== null) return configured;
  const isPrivate = isAlone && !isGuarded;
  const listen = { host: isPrivate ? '127.0.0.1' : '::', port: PORT };
  const text = formatListenAddress(listen);
  if (isPrivate) draft.derive('http.listen', text, 'there being one node and no token');
  else draft.settle('http.listen', text);
  return listen;
}

function refuseOpen(draft: Draft, listen: ListenAddress): void {
  const { findings } = draft;
  const given = draft.given('http.listen');
  const isLitefs = draft.format === 'litefs';
  const where = given === undefined ? 'http.listen' : subjectOf(given);
  findings.error(
    'config_missing',
    given ?? 'http.token',
    `${where} is ${formatListenAddress(listen)}, which other machines reach, and there is no token` +
      `${isLitefs ? '. LiteFS let everybody read and write there; Tandem does not' : ''}.`,
    `${TOKEN_HINT} For this machine only, listen on 127.0.0.1:${listen.port}.`,
  );
}
