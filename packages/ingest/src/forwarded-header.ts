/**
 * The `for` parameters of a `Forwarded` header (RFC 7239), in order and unquoted. An element
 * without one gives the empty text, so that no hop is passed over in silence.
 */
export function forwardedFor(header: string): readonly string[] {
  return splitQuoted(header, ',').map((element) => {
    for (const parameter of splitQuoted(element, ';')) {
      const match = /^\s*for\s*=\s*(.*?)\s*$/is.exec(parameter);
      if (match?.[1] !== undefined) return unquoted(match[1]);
    }
    return '';
  });
}

/** Divides at `separator` outside of quoted strings; a quote that never ends reaches to the end. */
function splitQuoted(text: string, separator: string): readonly string[] {
  const parts: string[] = [];
  let isQuoted = false;
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (isQuoted && character === '\\') at += 1;
    else if (character === '"') isQuoted = !isQuoted;
    else if (character === separator && !isQuoted) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

function unquoted(text: string): string {
  if (text.length < 2 || !text.startsWith('"') || !text.endsWith('"')) return text;
  return text.slice(1, -1).replaceAll(/\\(.)/gs, '$1');
}
