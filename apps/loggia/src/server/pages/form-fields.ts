/** The fields of a form sent as `application/x-www-form-urlencoded`, the last of each name. */
export function formFields(body: unknown): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {};
  if (typeof body !== 'string') return fields;
  for (const [name, value] of new URLSearchParams(body)) fields[name] = value;
  return fields;
}
