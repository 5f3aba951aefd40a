import { XMLParser } from 'fast-xml-parser';
import { StorageError } from './storage-error.ts';

/** One page of a listing. Keys are the server's, with the prefix of the store. */
export interface ListPage {
  readonly objects: readonly { key: string; sizeBytes: number; modifiedMs: number }[];
  readonly isTruncated: boolean;
  readonly nextToken: string | undefined;
}

/** What an error document says; empty texts when there is none, as in answers to HEAD. */
export interface S3ErrorDocument {
  readonly code: string;
  readonly message: string;
  /** The region that the server would have liked to be asked for. */
  readonly region: string;
}

type Node = Readonly<Record<string, unknown>>;

/** No numbers, no trimming: keys are text. Entities of a document's own are never expanded. */
const PARSER = new XMLParser({
  parseTagValue: false,
  trimValues: false,
  ignoreAttributes: true,
  htmlEntities: true,
  isArray: (tagName) => tagName === 'Contents',
});

/** @throws StorageError `storage_response_invalid` */
export function parseListPage(xml: string): ListPage {
  const root = childOf(parse(xml), 'ListBucketResult');
  if (root === undefined) throw unknownAnswer('a listing', xml);
  const contents = root['Contents'];
  const objects = (Array.isArray(contents) ? contents : []).map((entry: unknown) => {
    const key = textOf(entry, 'Key');
    const sizeBytes = Number(textOf(entry, 'Size'));
    const modifiedMs = Date.parse(textOf(entry, 'LastModified'));
    if (key === '' || !Number.isSafeInteger(sizeBytes) || Number.isNaN(modifiedMs))
      throw unknownAnswer('a listing', xml);
    return { key, sizeBytes, modifiedMs };
  });
  return {
    objects,
    isTruncated: textOf(root, 'IsTruncated').trim() === 'true',
    nextToken: textOf(root, 'NextContinuationToken') || undefined,
  };
}

/** @throws StorageError `storage_response_invalid` */
export function parseUploadId(xml: string): string {
  const id = textOf(childOf(parse(xml), 'InitiateMultipartUploadResult'), 'UploadId').trim();
  if (id === '') throw unknownAnswer('the beginning of an upload', xml);
  return id;
}

/** The error in a document, or undefined when it is none. */
export function parseErrorDocument(xml: string): S3ErrorDocument | undefined {
  const error = childOf(tryParse(xml), 'Error');
  if (error === undefined) return undefined;
  const [code, message, region] = ['Code', 'Message', 'Region'].map((name) => textOf(error, name));
  return { code: code ?? '', message: message ?? '', region: region ?? '' };
}

/** The document that ends an upload in parts; `etags` in the order of the parts, quotes and all. */
export function completionDocument(etags: readonly string[]): string {
  const parts = etags.map(
    (etag, index) =>
      `<Part><PartNumber>${index + 1}</PartNumber><ETag>${escapeXml(etag)}</ETag></Part>`,
  );
  return `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${parts.join('')}</CompleteMultipartUpload>`;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

function parse(xml: string): unknown {
  const parsed = tryParse(xml);
  if (parsed === undefined) throw unknownAnswer('XML', xml);
  return parsed;
}

function tryParse(xml: string): unknown {
  try {
    return PARSER.parse(xml) as unknown;
  } catch {
    return undefined;
  }
}

function childOf(parent: unknown, name: string): Node | undefined {
  if (!isNode(parent)) return undefined;
  const child = parent[name];
  return isNode(child) ? child : undefined;
}

function textOf(parent: unknown, name: string): string {
  const text = isNode(parent) ? parent[name] : undefined;
  return typeof text === 'string' ? text : '';
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null;
}

function unknownAnswer(expected: string, xml: string): StorageError {
  const beginning = JSON.stringify(xml.slice(0, 100));
  return new StorageError(
    'storage_response_invalid',
    `The server sent ${beginning} where ${expected} was expected`,
    { hint: 'Check that the endpoint is that of an S3 server, without a path.' },
  );
}
