import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { HttpError } from '@loggia/contract';

/**
 * Makes a reader of JSON bodies of one form. The reader takes the body as text.
 *
 * @throws HttpError, from the reader: `bad_json`, or `bad_request` that names the first field that is
 *   wrong.
 */
export function bodyReader<Schema extends TSchema>(
  schema: Schema,
): (body: unknown) => Static<Schema> {
  const validator = Compile(schema);
  return (body) => {
    const value = parseJson(body);
    if (validator.Check(value)) return value;
    const [first] = validator.Errors(value);
    const field = first?.instancePath.slice(1).replaceAll('/', '.') ?? '';
    const subject = field === '' ? 'The body' : `'${field}'`;
    throw new HttpError('bad_request', `${subject} ${first?.message ?? 'is wrong'}.`);
  };
}

/** @throws HttpError `bad_json`. */
export function parseJson(body: unknown): unknown {
  try {
    return JSON.parse(typeof body === 'string' ? body : '');
  } catch (error) {
    throw new HttpError('bad_json', 'The body is not valid JSON.', { cause: error });
  }
}
