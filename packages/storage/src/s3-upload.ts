import type { S3Client } from './s3-client.ts';
import { completionDocument, parseErrorDocument, parseUploadId } from './s3-xml.ts';
import { StorageError } from './storage-error.ts';

/** S3 takes at most so many parts. */
const PARTS_MAX = 10_000;
const MEBIBYTE = 1024 * 1024;

/** The size of parts for a body: as wished, or more where that would make too many of them. */
export function partBytesFor(sizeBytes: number, wishedBytes: number): number {
  if (sizeBytes <= wishedBytes * PARTS_MAX) return wishedBytes;
  return Math.ceil(sizeBytes / PARTS_MAX / MEBIBYTE) * MEBIBYTE;
}

export interface PartedUpload {
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly sizeBytes: number;
  /** All of one size but the last, which R2 insists on; each may be overwritten by the next. */
  readonly parts: AsyncIterable<Uint8Array>;
}

/**
 * B1: uploads a body in parts; the object appears when the last request is answered, as a whole.
 * On failure the parts are removed. Those of a program that was killed stay, unseen and paid for,
 * until a lifecycle rule of the bucket (`AbortIncompleteMultipartUpload`) removes them.
 *
 * @throws StorageError
 */
export async function uploadInParts(client: S3Client, upload: PartedUpload): Promise<void> {
  const { key, headers, parts } = upload;
  const action = `begin the upload of ${key}`;
  const begun = await client.send({ action, method: 'POST', key, query: { uploads: '' }, headers });
  const uploadId = parseUploadId(begun.body.toString());
  try {
    const etags: string[] = [];
    for await (const part of parts)
      etags.push(await uploadPart(client, key, { uploadId, part, partNumber: etags.length + 1 }));
    await complete(client, upload, { uploadId, etags });
  } catch (error) {
    await abort(client, key, uploadId);
    throw error;
  }
}

interface Part {
  readonly uploadId: string;
  readonly partNumber: number;
  readonly part: Uint8Array;
}

async function uploadPart(client: S3Client, key: string, part: Part): Promise<string> {
  const { uploadId, partNumber } = part;
  const answer = await client.send({
    action: `write part ${partNumber} of ${key}`,
    method: 'PUT',
    key,
    query: { partNumber: String(partNumber), uploadId },
    body: part.part,
  });
  const { etag } = answer.headers;
  if (etag !== undefined) return etag;
  throw new StorageError('storage_response_invalid', `Part ${partNumber} of ${key} has no ETag`, {
    hint: 'A proxy on the way may have removed it; name the server itself.',
  });
}

async function complete(
  client: S3Client,
  { key, sizeBytes }: PartedUpload,
  { uploadId, etags }: { readonly uploadId: string; readonly etags: readonly string[] },
): Promise<void> {
  const answer = await client.send({
    action: `end the upload of ${key}`,
    method: 'POST',
    key,
    query: { uploadId },
    headers: { 'content-type': 'application/xml' },
    body: Buffer.from(completionDocument(etags)),
    alsoExpected: [404],
  });
  // The server answers 200 at once and may find out later, in the document, that it failed.
  const refused = parseErrorDocument(answer.body.toString());
  if (answer.status === 200 && refused === undefined) return;
  // An earlier attempt may have ended the upload although its answer was lost.
  const isRepeated = answer.attemptNumber > 1 && answer.status === 404;
  if (isRepeated && (await hasSize(client, key, sizeBytes))) return;
  const said = refused === undefined ? '' : `: ${refused.code}: ${refused.message}`;
  throw new StorageError('storage_failed', `Could not end the upload of ${key}${said}`, {
    hint: 'See the log of the server. A lifecycle rule that removes unfinished uploads must leave them a day.',
    retryable: true,
  });
}

async function hasSize(client: S3Client, key: string, sizeBytes: number): Promise<boolean> {
  const action = `look at ${key}`;
  const answer = await client.send({ action, method: 'HEAD', key, alsoExpected: [404] });
  return answer.status === 200 && Number(answer.headers['content-length']) === sizeBytes;
}

/** The failure that led here is the one to report, so one of its own is not. */
async function abort(client: S3Client, key: string, uploadId: string): Promise<void> {
  const action = `call off the upload of ${key}`;
  await client
    .send({ action, method: 'DELETE', key, query: { uploadId }, alsoExpected: [204, 404] })
    .catch(() => undefined);
}
