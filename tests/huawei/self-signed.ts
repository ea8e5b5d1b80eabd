// A certificate for 127.0.0.1 and one more host, made for one test: no private key lies in the repository, and none can
// expire there.

import { generateKeyPairSync, sign } from 'node:crypto';

/** What a certificate may be made with: EC and 2020 to 2049 unless it says otherwise. Dates are `YYMMDDhhmmssZ`. */
export interface Making {
  /** Also its own name. */
  readonly host?: string;
  readonly bits?: number;
  readonly from?: string;
  readonly to?: string;
}

const ecdsaWithSha256 = sequence(objectId(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));
const rsaWithSha256 = sequence(
  objectId(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b),
  tlv(0x05, Buffer.alloc(0)),
);

/** A private key and its self-signed certificate, both PEM; with `bits`, an RSA key of that size. */
export function selfSigned({ host = 'localhost', bits, from = '200101000000Z', to = '491231235959Z' }: Making = {}): {
  readonly key: string;
  readonly cert: string;
} {
  const { privateKey, publicKey } =
    bits === undefined
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: bits });
  const algorithm = bits === undefined ? ecdsaWithSha256 : rsaWithSha256;
  const name = sequence(tlv(0x31, sequence(objectId(0x55, 0x04, 0x03), tlv(0x0c, Buffer.from(host)))));
  const toBeSigned = sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, Buffer.from([1])),
    algorithm,
    name,
    sequence(tlv(0x17, Buffer.from(from)), tlv(0x17, Buffer.from(to))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(subjectAltName(Buffer.from([127, 0, 0, 1]), host))),
  );
  const signature = sign('sha256', toBeSigned, privateKey);
  const certificate = sequence(toBeSigned, algorithm, tlv(0x03, Buffer.concat([Buffer.from([0]), signature])));
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), cert: pem(certificate) };
}

function subjectAltName(ip: Buffer, host: string): Buffer {
  return sequence(objectId(0x55, 0x1d, 0x11), tlv(0x04, sequence(tlv(0x87, ip), tlv(0x82, Buffer.from(host)))));
}

function objectId(...bytes: number[]): Buffer {
  return tlv(0x06, Buffer.from(bytes));
}

function sequence(...parts: Buffer[]): Buffer {
  return tlv(0x30, Buffer.concat(parts));
}

/** One DER value: its tag, its length, its content. */
function tlv(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function pem(der: Buffer): string {
  return `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`;
}
