// The page as a door answers it: public, without data, and under a policy that lets its own script run and no other.

import { createHash } from 'node:crypto';
import { SourceTextModule } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { consoleDoor } from '../../functions/console.ts';
import { toContext } from '../../lib/local/gateway.ts';
import { pageAnswer } from '../../lib/page/document.ts';
import { pageSource } from '../../lib/page/source.ts';
import { doorWorld, eventOf, jobs } from '../support/door-world.ts';
import { projectFiles } from '../support/source-files.ts';

async function ask(method: string, path: string, world = doorWorld(), stage = '$default') {
  const event = eventOf({ method, path });
  const requestContext = { ...event.requestContext, stage };
  const {
    statusCode,
    headers = {},
    body = '',
  } = await consoleDoor(world.open)({ ...event, requestContext }, toContext('test', 'test'));
  return { status: statusCode, headers, body };
}

function between(text: string, open: string, close: string): string {
  return text.split(open)[1]?.split(close)[0] ?? '';
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

describe('GET /', () => {
  it('is an HTML document for anybody', async () => {
    const { status, headers, body } = await ask('GET', '/');

    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
    });
    expect(body).toMatch(/^<!doctype html>/);
  });

  it('holds nothing of what is configured or remembered, and asks nobody for it', async () => {
    const world = doorWorld();

    const { body } = await ask('GET', '/', world);

    expect(Object.keys(jobs).filter((name) => body.includes(`"${name}"`))).toEqual([]);
    expect(body).not.toMatch(/staging|alice|carol|0a1b2c3d|made-up/);
    expect(world.calls).toBe(0);
  });

  it('lets its own script and style work by their hashes, and nothing else', async () => {
    const { headers, body } = await ask('GET', '/');
    const policy = String(headers['content-security-policy']).split('; ');

    expect(policy).toEqual([
      "default-src 'none'",
      `script-src ${hashOf(between(body, '<script type="module">', '</script>'))}`,
      `style-src ${hashOf(between(body, '<style>', '</style>'))}`,
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ]);
  });

  it('has one script and one style, no handler in an attribute, and no address of anything else', async () => {
    const { body } = await ask('GET', '/');
    const markup = body.replace(between(body, '<script type="module">', '</script>'), '');

    expect(body.match(/<script/g)).toHaveLength(1);
    expect(body.match(/<\/(script|style)/g)).toHaveLength(2);
    expect(markup).not.toMatch(/\son\w+=|style=|src=|href=|url\(|@import/);
  });

  it.each(['/', '/prod', '/prod/'])('is found at %s of a stage with a name', async (path) => {
    expect(await ask('GET', path, doorWorld(), 'prod')).toMatchObject({ status: 200 });
  });
});

describe('HEAD /', () => {
  it('is the same without the document', async () => {
    const [head, get] = [await ask('HEAD', '/'), await ask('GET', '/')];

    expect(head).toEqual({ ...get, body: '' });
  });
});

describe('the script', () => {
  it('is one module in which no two names are the same, and which needs no other one', () => {
    const module = new SourceTextModule(pageSource().script);

    expect(module.dependencySpecifiers).toEqual([]);
  });

  it('has every file of the page in it', () => {
    const { script } = pageSource();
    const texts = projectFiles('lib/page').filter((path) => path.endsWith('.js'));
    const functions = texts.map((path) => path.split('/').at(-1) ?? '');

    expect(functions.length).toBeGreaterThan(15);
    expect(script.match(/^\/\/ [A-Z].*$/gm)?.length).toBeGreaterThanOrEqual(functions.length);
  });

  it('never makes markup of a text, nor runs one', () => {
    expect(pageSource().script).not.toMatch(/innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|new Function/);
  });

  it('puts no token into an address or a lasting store', () => {
    expect(pageSource().script).not.toMatch(/localStorage|document\.cookie|indexedDB/);
  });

  it('may hold what a replacement would take for a pattern', () => {
    const { body } = pageAnswer({ html: '</* style */|/* script */>', css: "$'", script: '$&' });

    expect(body).toBe("<$'|$&>");
  });
});
