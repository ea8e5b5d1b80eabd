// Answers that are nearly too long for Lambda: whoever takes gzip gets a tenth of the bytes, everybody else the text.

import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import middy from '@middy/core';
import { type Door, receiving } from '../../lib/aws/door.ts';
import { toContext } from '../../lib/local/gateway.ts';
import { doorWorld, eventOf } from '../support/door-world.ts';

const long = { text: 'x'.repeat(1_200_000) };

function doorTo(body: { readonly text: string }): Door {
  return middy(receiving(doorWorld().open, async () => ({ status: 200, body })));
}

async function ask(door: Door, encodings?: string) {
  const headers = encodings === undefined ? {} : { 'Accept-Encoding': encodings };
  return door(eventOf({ method: 'GET', path: '/runs', headers }), toContext('console', '1'));
}

describe('a long answer', () => {
  it.each(['gzip', 'gzip, deflate, br', 'GZIP;q=0.5'])('is zipped for %s', async (encodings) => {
    const { body = '', headers, isBase64Encoded } = await ask(doorTo(long), encodings);

    expect(headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'accept-encoding' });
    expect(isBase64Encoded).toBe(true);
    expect(JSON.parse(gunzipSync(Buffer.from(body, 'base64')).toString())).toEqual(long);
    expect(body.length).toBeLessThan(long.text.length / 10);
  });

  it.each([undefined, 'br', 'identity'])('is text for %j', async (encodings) => {
    const { body = '', headers, isBase64Encoded } = await ask(doorTo(long), encodings);

    expect(headers?.['content-encoding']).toBeUndefined();
    expect(isBase64Encoded).not.toBe(true);
    expect(JSON.parse(body)).toEqual(long);
  });

  it('that is not so long is text', async () => {
    const { headers } = await ask(doorTo({ text: 'x' }), 'gzip');

    expect(headers?.['content-encoding']).toBeUndefined();
  });
});
