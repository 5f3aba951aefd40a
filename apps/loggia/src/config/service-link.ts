const NAME_ALWAYS = /_SERVICE_(?:HOST|PORT(?:_[A-Z0-9_]+)?)$/;
const NAME_WITH_PORT = /_PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?$/;
const VALUE_OF_PORT = /^(?:tcp|udp|sctp):\/\//i;

/**
 * Whether an environment variable is one that Kubernetes sets in every pod for a Service of the
 * namespace. A Service called `loggia` makes `LOGGIA_PORT=tcp://10.0.0.1:80` and its relatives, one
 * called `loggia-web` makes `LOGGIA_WEB_PORT=…`; they are no settings of ours.
 */
export function isServiceLink(name: string, value: string): boolean {
  if (NAME_ALWAYS.test(name) || NAME_WITH_PORT.test(name)) return true;
  return name.endsWith('_PORT') && VALUE_OF_PORT.test(value);
}
