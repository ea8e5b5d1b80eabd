// AWS Signature Version 4 for requests whose body is known: the 60 lines of the SDK that the doors need, without its 400
// KB. Pure: the date is an argument. S3 spells its paths differently and is not meant here.

import { createHash, createHmac } from 'node:crypto';

/** Credentials of a role or a user; those of a role have a session token. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** A request as it goes over the wire: `path` is encoded, `query` is not. Every header is signed. */
export interface AwsRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Has to have `host`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Whom a signature is for: `eu-central-1`, `dynamodb`. */
export interface Scope {
  readonly region: string;
  readonly service: string;
}

const algorithm = 'AWS4-HMAC-SHA256';

/**
 * The headers of a request with its signature, names in lower case. AWS refuses more than 5 minutes of skew.
 * Source: "Signature Version 4 signing process", AWS IAM user guide.
 */
export function signAws(
  request: AwsRequest,
  credentials: AwsCredentials,
  scope: Scope,
  date: Date,
): Record<string, string> {
  const time = date.toISOString().replace(/[-:]|\.\d{3}/g, '');
  const { sessionToken } = credentials;
  const headers = {
    ...lowerCased(request.headers),
    'x-amz-date': time,
    ...(sessionToken === undefined ? {} : { 'x-amz-security-token': sessionToken }),
  };
  const names = Object.keys(headers).toSorted().join(';');
  const place = [time.slice(0, 8), scope.region, scope.service, 'aws4_request'];
  const text = [algorithm, time, place.join('/'), sha256(canonicalRequest(request, headers))].join('\n');
  const key = place.reduce<string | Buffer>(hmac, `AWS4${credentials.secretAccessKey}`);
  const credential = `${credentials.accessKeyId}/${place.join('/')}`;
  const signature = hmac(key, text).toString('hex');
  const authorization = `${algorithm} Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`;
  return { ...headers, authorization };
}

/** Parameters as they stand in a URL, sorted as they are signed. */
export function awsQuery(query: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(query).map(([name, value]) => [awsEncode(name), awsEncode(value)] as const);
  return pairs
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

/** Percent-encoded as UTF-8, all but `A-Z a-z 0-9 - _ . ~`. */
export function awsEncode(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(/[!'()*]/g, percent);
}

function canonicalRequest(request: AwsRequest, headers: Readonly<Record<string, string>>): string {
  const names = Object.keys(headers).toSorted();
  return [
    request.method,
    // Encoded once more than it is sent: every service but S3 does so.
    request.path.split('/').map(awsEncode).join('/'),
    awsQuery(request.query),
    names.map((name) => `${name}:${(headers[name] ?? '').trim().replace(/ +/g, ' ')}\n`).join(''),
    names.join(';'),
    sha256(request.body),
  ].join('\n');
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
