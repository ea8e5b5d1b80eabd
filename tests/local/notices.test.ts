// Notices and health checks of the local runtime, as a process: a chat and a health check on the loopback, whose addresses are
// secrets.

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as v from 'valibot';
import { type Handler, type Loopback, startLoopback } from '../huawei/loopback-server.ts';
import { LocalSite, projectId, token } from '../support/local-site.ts';
import { idOf } from '../support/scenario.ts';

let site: LocalSite;
let outside: Loopback;
let answering: Handler;

const path = '/services/that-must-not-leak';

beforeEach(async () => {
  answering = (response) => response.end('ok');
  outside = await startLoopback((...call) => answering(...call));
  site = await LocalSite.open(config);
});

afterEach(async () => {
  await site.close();
  await outside.close();
});

function config(endpoint: string): string {
  return `
projects:
  p: {region: eu-de, projectId: ${projectId}, endpoint: "${endpoint}", credentials: {aksk: env:TEST}}
targets:
  all: {project: p, names: ["*"]}
jobs:
  nightly: {action: flush, target: all, trigger: {schedule: {cron: "0 2 1 1 *"}}, guards: {maxInstances: 5, maxPercent: 100%}}
defaults:
  waves: {canary: 1, size: 1, soak: 1s, healthCheck: env:HEALTH}
  retry: {for: 10s}
  verify: {interval: 1s, settle: 1s, timeout: 30s}
notify:
  - {on: [succeeded, partial], to: webhook, url: env:CHAT, format: slack}
`;
}

function once() {
  const env = { CHAT: `${outside.url}${path}`, HEALTH: `${outside.url}/health`, AUTOPILOT_LOG: 'debug' };
  return site.start(['serve', '--once', 'nightly'], env).ended;
}

describe('serve --once', () => {
  it('asks the health check between its waves, tells the chat before it ends, and shows no address', async () => {
    const { code, stdout, stderr } = await once();

    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(outside.seen.map(({ method, url }) => `${method} ${url}`)).toEqual(['GET /health', `POST ${path}`]);
    expect(outside.seen[1]?.body).toContain('nightly: flush succeeded, 2 succeeded');
    expect(`${stdout}${stderr}${site.stored()}`).not.toContain(path);
    expect(stderr).toMatch(/"metric":"RunsEnded","value":1,"Status":"succeeded"/);
  });

  it('leaves the second wave alone where the health check is bad', async () => {
    answering = (response, { method }) => response.writeHead(method === 'GET' ? 503 : 200).end();

    const { code, stdout } = await once();

    expect(code).toBe(3);
    expect(stdout).toContain('the health check answered 503');
    expect([1, 2].map((n) => site.simulator.fleet.applied(idOf(n)).flush)).toEqual([1, 0]);
    expect(outside.seen.at(-1)?.body).toContain('unhealthy');
  });
});

describe('serve', () => {
  it('tells of a plan that awaits approval, also one that is approved between two tries', async () => {
    site.write(
      'autopilot.yml',
      `${config(site.simulator.url).replace('[succeeded, partial]', '[awaiting_approval, succeeded]')}
operators:
  alice: {token: env:ALICE, may: [run]}
`.replace('healthCheck: env:HEALTH}', 'healthCheck: null}\n  approval: required'),
    );
    const posts: string[] = [];
    answering = (response, { body }) => response.writeHead(posts.push(body) === 1 ? 503 : 200).end();
    const { origin } = await site.serve({ CHAT: `${outside.url}${path}`, ALICE: 'example-token-of-alice' });
    const alice = { authorization: 'Bearer example-token-of-alice' };
    const local = { authorization: `Bearer ${token}` };

    const answer = await fetch(`${origin}/jobs/nightly/runs`, { method: 'POST', headers: alice });
    const url = `${origin}${answer.headers.get('location')}`;
    while (posts.length < 1) await fetch(`${origin}/healthz`);
    const { plan } = v.parse(
      v.object({ plan: v.object({ hash: v.string() }) }),
      await (await fetch(url, { headers: local })).json(),
    );
    const body = JSON.stringify({ planHash: plan.hash });
    const approved = await fetch(`${url}/approve`, { method: 'POST', headers: local, body });
    const ended = await fetch(`${url}?wait=25`, { headers: local });

    expect(posts[0]).toContain(`--plan ${plan.hash}`);
    expect(approved.status).toBe(202);
    expect(await ended.json()).toMatchObject({ status: 'succeeded' });
    while (posts.length < 2) await fetch(`${origin}/healthz`);
    expect(posts).toHaveLength(2);
    expect(posts[1]).toContain('nightly: flush succeeded');
  }, 40_000);

  it('refuses to start where AWS is to be told, and says what can be', async () => {
    site.write('autopilot.yml', `${config('http://127.0.0.1:1')}  - {on: [failed], to: eventbridge, bus: default}\n`);

    const { code, stderr } = await once();

    expect(code).toBe(1);
    expect(stderr).toContain('notify[1].to: only functions on AWS tell eventbridge; here it can be webhook');
  });
});
