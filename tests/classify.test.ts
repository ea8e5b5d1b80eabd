// The one table of errors, held against every code that is documented or known.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import * as v from 'valibot';
import { classify, type ErrorClass, errorClasses } from '../lib/classify.ts';

const fixture = v.parse(
  v.object({ codes: v.array(v.object({ code: v.string(), httpStatus: v.number(), class: v.string() })) }),
  JSON.parse(readFileSync(new URL('fixtures/error-codes.json', import.meta.url), 'utf8')),
);
const rows = fixture.codes.map((row) => [row.code, row.httpStatus, row.class] as const);

/** What a class of the list of codes means for us, unless the code is one of the exceptions. */
const usual: Readonly<Record<string, ErrorClass>> = {
  'instance-busy': 'busy',
  retryable: 'unknown',
  auth: 'auth',
  'not-retryable-permission': 'config',
  'not-retryable-not-found': 'final',
  'not-retryable': 'final',
};

/** Where ours is finer than the list: what concerns every instance alike stops the run; a batch can be split. */
const exceptions: Readonly<Record<string, ErrorClass>> = {
  // Not the token is wrong but the project.
  'DCS.1004': 'config',
  '111401004': 'config',
  'DCS.4002': 'config',
  '111400002': 'config',
  // Not the instance is missing but the URL, or the account's agency.
  'DCS.4001': 'config',
  '111404001': 'config',
  'DCS.5101': 'config',
  // The request as a whole has the wrong shape.
  'DCS.4004': 'config',
  '111400004': 'config',
  'DCS.4005': 'config',
  '111400005': 'config',
  'DCS.4064': 'config',
  '111400064': 'config',
  'DCS.4065': 'config',
  '111400065': 'config',
  'DCS.5001': 'config',
  '111405001': 'config',
  'DCS.4100': 'split',
  '111400100': 'split',
};

function expected(code: string, listed: string): ErrorClass | undefined {
  return exceptions[code] ?? usual[listed];
}

describe('classify', () => {
  it('is tested with all 291 codes, each exception being one of them', () => {
    const codes = new Set(rows.map(([code]) => code));

    expect(codes.size).toBe(291);
    expect(Object.keys(exceptions).filter((code) => !codes.has(code))).toEqual([]);
  });

  it.each(rows)('knows %s (HTTP %i, listed as %s)', (code, status, listed) => {
    expect(classify({ code, status })).toBe(expected(code, listed));
  });

  it.each(rows)('goes by the code %s and not by the status', (code, _status, listed) => {
    const classes = [200, 302, 400, 401, 404, 409, 429, 500, 503].map((status) => classify({ code, status }));

    expect(new Set(classes)).toEqual(new Set([expected(code, listed)]));
  });

  it.each([
    ['0101', 404, 'config'],
    ['0103', 404, 'config'],
    ['0104', 400, 'config'],
    ['0105', 500, 'unknown'],
    ['0202', 502, 'unknown'],
    ['0203', 504, 'unknown'],
    ['0301', 401, 'auth'],
    ['0302', 403, 'config'],
    ['0303', 401, 'auth'],
    ['0304', 403, 'config'],
    ['0305', 401, 'auth'],
    ['0306', 403, 'config'],
    ['0307', 401, 'auth'],
    ['0308', 429, 'throttled'],
    ['0310', 403, 'config'],
    ['0501', 405, 'config'],
    ['0502', 405, 'config'],
    ['0601', 500, 'unknown'],
    ['0606', 500, 'unknown'],
    ['0608', 502, 'unknown'],
    ['0609', 500, 'unknown'],
    ['0610', 500, 'unknown'],
    ['0611', 500, 'unknown'],
    ['0612', 500, 'unknown'],
    ['0613', 503, 'unknown'],
    ['0802', 403, 'config'],
  ] as const)('knows the gateway code %s (HTTP %i) under both prefixes as %s', (number, status, errorClass) => {
    expect(classify({ code: `APIGW.${number}`, status })).toBe(errorClass);
    expect(classify({ code: `APIG.${number}`, status })).toBe(errorClass);
  });

  it.each([
    [400, 'config'],
    [413, 'config'],
    [414, 'config'],
    [494, 'config'],
    [500, 'unknown'],
    [502, 'unknown'],
    [504, 'unknown'],
  ] as const)('goes by the status %i for the gateway code 0201, which stands for many things', (status, errorClass) => {
    expect(classify({ code: 'APIGW.0201', status })).toBe(errorClass);
    expect(classify({ code: 'APIG.0201', status })).toBe(errorClass);
  });

  it.each([
    ['0301', 500, 'auth'],
    ['0308', 503, 'throttled'],
    ['0203', 400, 'unknown'],
    ['0101', 500, 'config'],
  ] as const)('goes by the gateway code %s even with HTTP %i', (number, status, errorClass) => {
    expect(classify({ code: `APIGW.${number}`, status })).toBe(errorClass);
  });

  it.each([
    ['IAM.0001', 401, 'auth'],
    ['IAM.0002', 403, 'config'],
    ['IAM.0003', 403, 'config'],
    ['IAM.0004', 404, 'config'],
    ['IAM.0006', 500, 'unknown'],
    ['IAM.0012', 429, 'throttled'],
    ['IAM.0020', 410, 'throttled'],
    ['IAM.0061', 401, 'auth'],
    ['IAM.0062', 401, 'auth'],
    ['IAM.0063', 401, 'auth'],
    ['IAM.0066', 401, 'auth'],
    ['IAM.0067', 401, 'auth'],
    ['IAM.0080', 403, 'config'],
    ['IAM.0081', 403, 'config'],
    ['IAM.0082', 403, 'config'],
    ['IAM.0083', 403, 'config'],
  ] as const)('knows %s (HTTP %i) as %s', (code, status, errorClass) => {
    expect(classify({ code, status })).toBe(errorClass);
  });

  it.each([
    [200, 'unknown', 'unknown'],
    [204, 'unknown', 'unknown'],
    [301, 'config', 'config'],
    [302, 'config', 'config'],
    [307, 'config', 'config'],
    [400, 'final', 'config'],
    [401, 'auth', 'auth'],
    [402, 'config', 'config'],
    [403, 'config', 'config'],
    [404, 'final', 'config'],
    [405, 'config', 'config'],
    [408, 'unknown', 'unknown'],
    [409, 'busy', 'busy'],
    [413, 'config', 'config'],
    [429, 'throttled', 'throttled'],
    [500, 'unknown', 'unknown'],
    [502, 'unknown', 'unknown'],
    [503, 'unknown', 'unknown'],
    [504, 'unknown', 'unknown'],
    [599, 'unknown', 'unknown'],
  ] as const)('goes by HTTP %i where the code is not listed: %s from DCS, %s from elsewhere', (status, own, other) => {
    expect(classify({ code: 'DCS.4888', status })).toBe(own);
    expect(classify({ code: '111400888', status })).toBe(own);
    expect(classify({ code: 'APIGW.9999', status })).toBe(other);
    expect(classify({ code: 'ELB.1', status })).toBe(other);
    expect(classify({ code: '', status })).toBe(other);
  });

  it.each([
    ['dcs.4111', 'busy'],
    [' DCS.4111 ', 'busy'],
    ['apig.0308', 'throttled'],
  ] as const)('reads the code %j whatever its case and spaces', (code, errorClass) => {
    expect(classify({ code, status: 500 })).toBe(errorClass);
  });

  it.each(['constructor', '__proto__', 'DCS.', '111', 'DCS.41111', '1114000170'])(
    'does not take %j for a listed code',
    (code) => {
      expect(classify({ code, status: 503 })).toBe('unknown');
    },
  );

  it('uses no class but the eight', () => {
    const used = rows.map(([code, status]) => classify({ code, status }));

    expect(used.filter((errorClass) => !errorClasses.includes(errorClass))).toEqual([]);
  });
});
