// What becomes of an answer that is no success, and that no secret is in it.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Received } from '../../lib/huawei/http.ts';
import { masker, problemOf } from '../../lib/huawei/problem.ts';

const now = Date.parse('2026-11-23T13:37:00Z');
const context = { now, mask: (text: string) => text };

function received(status: number, body: unknown, headers: Partial<Received> = {}): Received {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return {
    kind: 'received',
    status,
    body: text,
    date: null,
    retryAfter: null,
    subjectToken: null,
    requestId: null,
    ...headers,
  };
}

/** A date `minutes` from now as a header has it. */
function httpDate(minutes: number): string {
  return new Date(now + minutes * 60_000).toUTCString();
}

describe('problemOf', () => {
  it.each([
    [
      400,
      { error_code: 'DCS.4111', error_msg: 'the instance is restarting.', error_ext_msg: null },
      'busy',
      'DCS.4111',
    ],
    [404, { error: { code: '111404022', message: 'This DCS instance does not exist.' } }, 'final', '111404022'],
    [404, { error: { code: 111404022, message: 'x' } }, 'final', '111404022'],
    [500, { error_code: 'DCS.4069', error_msg: 'x' }, 'busy', 'DCS.4069'],
    [503, { error_code: 'APIGW.0308', error_msg: 'x' }, 'throttled', 'APIGW.0308'],
    [401, { error_code: 'APIGW.0301', error_msg: 'x', request_id: 'r' }, 'auth', 'APIGW.0301'],
    [502, '<html><body>502 Bad Gateway</body></html>', 'unknown', 'http_502'],
    [400, '<html>bad</html>', 'config', 'http_400'],
    [404, '', 'config', 'http_404'],
    [302, '', 'config', 'http_302'],
    [429, '[]', 'throttled', 'http_429'],
    [500, 'null', 'unknown', 'http_500'],
    [500, '{"error":"text"}', 'unknown', 'http_500'],
    [500, '{"error_code":{},"error_msg":[]}', 'unknown', 'http_500'],
    [500, { error_code: 'a b c', error_msg: 'x' }, 'unknown', 'http_500'],
    [500, { error_code: 'x'.repeat(65), error_msg: 'x' }, 'unknown', 'http_500'],
  ] as const)('reads HTTP %i %j as %s %s', (status, body, errorClass, code) => {
    expect(problemOf(received(status, body), context)).toMatchObject({ class: errorClass, code, status });
  });

  it.each([
    [{ error_msg: 'the instance\n is restarting.\u0000' }, 'the instance is restarting.'],
    [{ error: { message: 'old form' } }, 'old form'],
    [{ error_msg: 'x'.repeat(9000) }, 'x'.repeat(500)],
    [{ error_msg: '' }, 'HTTP 400 without a message that can be read.'],
    ['<script>', 'HTTP 400 without a message that can be read.'],
  ])('shows of %j one short line', (body, message) => {
    expect(problemOf(received(400, body), context).message).toBe(message);
  });

  it.each([
    ['from-header', { request_id: 'from-body' }, 'from-header'],
    [null, { request_id: 'from-body' }, 'from-body'],
    [null, {}, undefined],
    ['x'.repeat(300), {}, 'x'.repeat(128)],
  ])('takes the request id from the header %j or the body %j', (requestId, body, expected) => {
    expect(problemOf(received(400, body, { requestId }), context).requestId).toBe(expected);
  });

  it.each([
    ['0', 0],
    ['7', 7],
    [' 7 ', 7],
    ['-7', 0],
    ['1.5', undefined],
    ['1e9', undefined],
    ['9999999999', undefined],
    ['soon', undefined],
    ['', undefined],
    ['2026-11-23T13:38:00Z', undefined],
    [httpDate(2), 120],
    [httpDate(-2), 0],
    ['Xxx, 99 Xxx 2026 13:37:00 GMT', undefined],
    [null, undefined],
  ])('reads Retry-After %j as %j seconds', (retryAfter, seconds) => {
    expect(problemOf(received(429, {}, { retryAfter }), context).retryAfter).toBe(seconds);
  });

  it('counts a Retry-After date from the date of the answer, so that a wrong clock does not matter', () => {
    const answer = received(429, {}, { retryAfter: httpDate(12), date: httpDate(10) });

    expect(problemOf(answer, context).retryAfter).toBe(120);
  });

  it.each([
    [16, '16 minutes behind'],
    [90, '90 minutes behind'],
    [-16, '16 minutes ahead of'],
    [-600, '600 minutes ahead of'],
  ])('says so where a refused key comes with a clock that is %d minutes off', (minutes, words) => {
    const body = { error_code: 'APIGW.0301', error_msg: 'Incorrect IAM authentication information', request_id: 'r' };

    const problem = problemOf(received(401, body, { date: httpDate(minutes) }), context);

    expect(problem).toMatchObject({ class: 'auth', code: 'clock_skew', status: 401, requestId: 'r' });
    expect(problem.message).toContain(words);
  });

  it.each([
    [401, 15],
    [401, -15],
    [403, 90],
    [429, 90],
  ])('does not blame the clock for HTTP %i with a clock that is %d minutes off', (status, minutes) => {
    const answer = received(status, { error_code: 'X.1' }, { date: httpDate(minutes) });

    expect(problemOf(answer, context).code).toBe('X.1');
  });

  it('does not blame the clock where nothing was signed', () => {
    const answer = received(401, { error_code: 'DCS.1002' }, { date: httpDate(90) });

    expect(problemOf(answer, { ...context, isSigned: false }).code).toBe('DCS.1002');
  });

  it.each(['yesterday', '', 'Mon, 23 Nov 2026 13:37:00 CET'])('does not take the date %j for a clock', (date) => {
    expect(problemOf(received(401, { error_code: 'APIGW.0301' }, { date }), context).code).toBe('APIGW.0301');
  });

  it('hands on what went wrong without an answer', () => {
    const problem = { class: 'unknown', code: 'timeout', message: 'No answer within 30 s.' } as const;

    expect(problemOf({ kind: 'failed', problem }, context)).toBe(problem);
  });

  it('never throws, whatever the answer says', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 300, max: 599 }),
        fc.oneof(fc.json(), fc.string()),
        fc.string(),
        (status, body, header) => {
          const headers = { date: header, retryAfter: header, requestId: header };

          const problem = problemOf(received(status, body, headers), context);

          expect(problem.message.length).toBeLessThanOrEqual(500);
          expect(problem.retryAfter ?? 0).toBeGreaterThanOrEqual(0);
        },
      ),
    );
  });
});

describe('masker', () => {
  const secrets = ['EXAMPLEAK01', 'example/sk+01', 'EXAMPLEAK01-longer-token=='];

  it.each([
    ['Get secretKey failed,ak:EXAMPLEAK01,err:ak not exist', 'Get secretKey failed,ak:***,err:ak not exist'],
    ['token EXAMPLEAK01-longer-token== expired', 'token *** expired'],
    ['example/sk+01example/sk+01', '******'],
    ['?sk=example%2Fsk%2B01', '?sk=***'],
    [
      'SDK-HMAC-SHA256 Access=SOMEONE, SignedHeaders=host, Signature=0123abc',
      'SDK-HMAC-SHA256 Access=***, SignedHeaders=host, Signature=***',
    ],
    ['nothing to hide', 'nothing to hide'],
  ])('turns %j into %j', (text, masked) => {
    expect(masker(secrets)(text)).toBe(masked);
  });

  it('leaves a text alone where there are no secrets, or empty ones', () => {
    expect(masker([])('a text')).toBe('a text');
    expect(masker([''])('a text')).toBe('a text');
  });

  it('lets no secret through, in any part of any answer', () => {
    const anywhere = fc.constantFrom('error_code', 'error_msg', 'request_id');
    const secret = fc.constantFrom(...secrets);
    fc.assert(
      fc.property(anywhere, secret, fc.string(), fc.string(), (place, value, before, after) => {
        const body = { [place]: `${before}${value}${after}`, error: { code: value, message: `${before}${value}` } };
        const answer = received(401, body, { requestId: `${value}` });

        const problem = problemOf(answer, { now, mask: masker(secrets) });

        expect(JSON.stringify(problem)).not.toContain(value);
      }),
    );
  });
});
