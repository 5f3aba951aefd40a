/** Names and values by turns, as Node gives and takes them: order, case and repetition are kept. */
export type RawHeaders = readonly string[];

/** The fields as pairs of lower-case name, name as sent, and value. */
export function* fieldsOf(headers: RawHeaders): Generator<readonly [string, string, string]> {
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at] ?? '';
    yield [name.toLowerCase(), name, headers[at + 1] ?? ''];
  }
}

/** Every value of the field `name`, which is in lower case. */
export function fieldValues(headers: RawHeaders, name: string): string[] {
  const values: string[] = [];
  for (const [lower, , value] of fieldsOf(headers)) if (lower === name) values.push(value);
  return values;
}

/** The members of a list field over all its lines, trimmed, in order, without empty ones. */
export function listMembers(headers: RawHeaders, name: string): string[] {
  return fieldValues(headers, name)
    .flatMap((value) => value.split(','))
    .map((member) => member.trim())
    .filter((member) => member !== '');
}
