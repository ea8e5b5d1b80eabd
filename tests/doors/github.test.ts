// What a payload of GitHub is looked at for: dotted paths, and never anything that the payload does not itself say.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { GithubTrigger } from '../../lib/config.ts';
import { textAt, whyIgnored } from '../../lib/doors/github.ts';

const payload: unknown = JSON.parse(`{
  "ref": "refs/heads/main",
  "deployment": {"production_environment": true, "id": 42, "ratio": 1.50, "payload": {}, "task": null, "": "empty"},
  "labels": [{"name": "deploy"}, {"name": "cache"}],
  "a.b": "dotted",
  "__proto__": {"polluted": "own"}
}`);

describe('textAt', () => {
  it.each([
    ['ref', 'refs/heads/main'],
    ['deployment.production_environment', 'true'],
    ['deployment.id', '42'],
    ['deployment.ratio', '1.5'],
    ['labels.0.name', 'deploy'],
    ['labels.1.name', 'cache'],
    ['__proto__.polluted', 'own'],
  ])('finds %s', (path, text) => {
    expect(textAt(payload, path)).toBe(text);
  });

  it.each([
    'deployment',
    'deployment.payload',
    'deployment.task',
    'deployment.task.name',
    'labels',
    'labels.2.name',
    'labels.-1.name',
    'labels.00.name',
    'labels.length',
    'labels.name',
    'ref.length',
    'ref.0',
    'a.b',
    'constructor.name',
    'toString',
    'deployment.hasOwnProperty',
    '__proto__.constructor',
    '',
  ])('finds nothing at %p', (path) => {
    expect(textAt(payload, path)).toBeUndefined();
  });

  it('finds every text where it lies', () => {
    const step = fc.string({ minLength: 1 }).filter((text) => !text.includes('.') && text !== '__proto__');
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 5 }), fc.string(), (steps, text) => {
        const nested = steps.reduceRight<unknown>((value, name) => ({ [name]: value }), text);

        expect(textAt(nested, steps.join('.'))).toBe(text);
        expect(textAt(nested, `${steps.join('.')}.more`)).toBeUndefined();
      }),
    );
  });
});

describe('whyIgnored', () => {
  const trigger: GithubTrigger = {
    type: 'webhook',
    auth: 'github',
    secrets: ['env:GH_SECRET'],
    events: ['push', 'deployment_status'],
    match: { ref: 'refs/heads/main', 'deployment.id': '42' },
  };
  const body = Buffer.from(JSON.stringify(payload));
  const headers = { 'x-github-event': 'push', 'content-type': 'application/json' };

  it('lets a payload start the job only where all of match fits', () => {
    const other = { ...trigger, match: { ...trigger.match, ref: 'refs/heads/Main' } };

    expect(whyIgnored(trigger, { headers, body })).toBeUndefined();
    expect(whyIgnored(other, { headers, body })).toBe('ref does not match');
    expect(whyIgnored({ ...trigger, match: {} }, { headers, body })).toBeUndefined();
  });

  it.each(['application/x-www-form-urlencoded', 'APPLICATION/X-WWW-FORM-URLENCODED; charset=utf-8'])(
    'reads the payload of a form: %s',
    (type) => {
      const form = new URLSearchParams({ payload: JSON.stringify({ ref: 'refs/heads/main', deployment: { id: 42 } }) });
      const sent = { headers: { ...headers, 'content-type': type }, body: Buffer.from(form.toString()) };

      expect(whyIgnored(trigger, sent)).toBeUndefined();
    },
  );

  it('keeps what is no ASCII in a form', () => {
    const named = { ...trigger, match: { ref: 'refs/heads/größe 🚀+&=' } };
    const form = new URLSearchParams({ payload: JSON.stringify({ ref: 'refs/heads/größe 🚀+&=' }) });
    const type = 'application/x-www-form-urlencoded';
    const sent = { headers: { ...headers, 'content-type': type }, body: Buffer.from(form.toString()) };

    expect(whyIgnored(named, sent)).toBeUndefined();
  });
});
