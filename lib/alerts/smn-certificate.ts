// The certificate that SMN signs with: fetched from the one place of Huawei's where it may lie, checked before anybody
// asks for it, and kept; or pinned by the configuration. What it is trusted for rests on that place and on TLS.

import { X509Certificate } from 'node:crypto';
import { DoorError } from '../errors.ts';
import type { Get } from './outbound.ts';

/** Bytes; one certificate is below two thousand. */
const sizeLimit = 16 * 1024;

/** Bits of an RSA key at least. */
const smallestKey = 2048;

/** Certificates that are kept, and fetches that are under way at once, at most. */
const most = 8;

/** Where each region keeps it: nothing may differ but the region and 32 hex digits. */
const place =
  /^https:\/\/smn\.([a-z0-9-]{1,64})\.(?:myhuaweicloud\.(?:com|eu)|otc\.t-systems\.com)(?::443)?\/smn\/SMN_([a-z0-9-]{1,64})_[0-9a-f]{32}\.pem$/;

/** Gives the certificate at a URL that was checked. Throws DoorError like checkValid, and 503 `certificate_unavailable`. */
export type Certificates = (url: string, now: number) => Promise<X509Certificate>;

/**
 * Throws DoorError 401 `certificate_url_refused` unless a URL is where SMN keeps certificates of the topic's own region:
 * exact host, path and port, https, no user, no query.
 */
export function checkCertificateUrl(url: string, region: string): void {
  const [, ofHost, ofPath] = place.exec(url) ?? [];
  if (ofHost === region && ofPath === region) return;
  throw new DoorError(
    401,
    'certificate_url_refused',
    'The certificate of this message does not lie where SMN keeps it.',
  );
}

/** The first certificate of a PEM text, or undefined where it is none, or one of another kind of key than RSA. */
export function readCertificate(pem: string): X509Certificate | undefined {
  try {
    const certificate = new X509Certificate(pem);
    const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey;
    return asymmetricKeyType === 'rsa' && (asymmetricKeyDetails?.modulusLength ?? 0) >= smallestKey
      ? certificate
      : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a time, in milliseconds, is within the dates of a certificate. */
export function isValidAt(certificate: X509Certificate, now: number): boolean {
  return Date.parse(certificate.validFrom) <= now && now <= Date.parse(certificate.validTo);
}

/**
 * Fetches certificates once and keeps them for as long as they are valid. A fetch is shared by all who wait for it; what
 * failed is not kept. Whoever names certificates that are not there makes at most eight fetches at a time.
 */
export function fetchingCertificates(get: Get): Certificates {
  const kept = new Map<string, X509Certificate>();
  const underWay = new Map<string, Promise<X509Certificate>>();
  return async (url, now) => {
    const known = kept.get(url);
    if (known !== undefined && isValidAt(known, now)) return known;
    const shared = underWay.get(url);
    if (shared !== undefined) return await shared;
    if (underWay.size >= most) throw unavailable('too many certificates are asked for');
    const fetching = fetchCertificate(get, url, now).finally(() => underWay.delete(url));
    underWay.set(url, fetching);
    const certificate = await fetching;
    keep(kept, url, certificate);
    return certificate;
  };
}

async function fetchCertificate(get: Get, url: string, now: number): Promise<X509Certificate> {
  const { status, body } = await get(url, sizeLimit).catch((cause: unknown) => {
    throw unavailable('it could not be fetched', cause);
  });
  if (status !== 200) throw unavailable(`its server answered ${status}`);
  const certificate = readCertificate(body);
  if (certificate === undefined) throw unavailable('what lies there is none');
  if (isValidAt(certificate, now)) return certificate;
  throw new DoorError(401, 'certificate_expired', 'The certificate of this message is outside its dates.');
}

/** Drops the one that was fetched first where there are too many. */
function keep(kept: Map<string, X509Certificate>, url: string, certificate: X509Certificate): void {
  kept.delete(url);
  for (const oldest of kept.keys()) if (kept.size >= most) kept.delete(oldest);
  kept.set(url, certificate);
}

function unavailable(why: string, cause?: unknown): DoorError {
  const message = `The certificate of SMN is not to be had: ${why}. Send this again.`;
  return new DoorError(503, 'certificate_unavailable', message, [], { cause });
}
