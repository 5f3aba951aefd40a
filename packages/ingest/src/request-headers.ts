/** Headers as Node's HTTP server gives them: names in lower case. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The value of the header `name`, several lines joined by commas; null when absent or blank. */
export function headerText(headers: RequestHeaders, name: string): string | null {
  const value = headers[name];
  if (value === undefined) return null;
  const text = typeof value === 'string' ? value : value.join(',');
  return text.trim() === '' ? null : text;
}
