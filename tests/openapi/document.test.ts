// The description of the doors: it is the committed one, it is sound, and it says what the doors do. Answers of the real
// doors are held against the schemas that it is made from.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import * as v from 'valibot';
import { consoleDoor } from '../../functions/console.ts';
import { webhookDoor } from '../../functions/webhook.ts';
import { consoleRoutes } from '../../lib/doors/routes.ts';
import {
  acceptedSchema,
  duplicateSchema,
  errorSchema,
  healthSchema,
  jobsSchema,
  pausesSchema,
  runSchema,
  runsSchema,
} from '../../lib/openapi/answers.ts';
import { openapiText } from '../../lib/openapi/document.ts';
import { operations } from '../../lib/openapi/operations.ts';
import { refusals } from '../../lib/openapi/refusals.ts';
import { asJson } from '../../lib/record.ts';
import { bearer, call, doorWorld, hookToken, operatorToken } from '../support/door-world.ts';
import { runOf } from '../support/page-world.ts';
import { projectFiles, textOf } from '../support/source-files.ts';

const committed = readFileSync('lib/openapi/openapi.json', 'utf8');
const media = v.object({ schema: v.optional(v.unknown()) });
const response = v.union([
  v.strictObject({ $ref: v.string() }),
  v.strictObject({ description: v.pipe(v.string(), v.nonEmpty()), content: v.optional(v.record(v.string(), media)) }),
]);
const operation = v.strictObject({
  operationId: v.string(),
  summary: v.pipe(v.string(), v.nonEmpty()),
  security: v.array(v.record(v.string(), v.array(v.string()))),
  parameters: v.optional(
    v.array(
      v.looseObject({
        in: v.picklist(['path', 'query', 'header']),
        name: v.string(),
        schema: v.record(v.string(), v.unknown()),
      }),
    ),
    [],
  ),
  requestBody: v.optional(v.strictObject({ content: v.record(v.string(), v.unknown()) })),
  responses: v.record(v.pipe(v.string(), v.regex(/^[1-5]\d\d$/)), response),
});
const documentSchema = v.strictObject({
  openapi: v.literal('3.1.0'),
  info: v.looseObject({ title: v.string(), version: v.string() }),
  servers: v.array(v.looseObject({ url: v.string() })),
  paths: v.record(
    v.pipe(v.string(), v.startsWith('/')),
    v.record(v.picklist(['get', 'head', 'post', 'put']), v.optional(operation)),
  ),
  components: v.strictObject({
    schemas: v.record(v.string(), v.record(v.string(), v.unknown())),
    responses: v.record(v.pipe(v.string(), v.regex(/^[\w.-]+$/)), response),
    securitySchemes: v.record(v.string(), v.looseObject({ type: v.picklist(['http', 'apiKey']) })),
  }),
});
const description = v.parse(documentSchema, JSON.parse(committed));
const all = Object.entries(description.paths).flatMap(([path, methods]) =>
  Object.entries(methods).flatMap(([method, each]) => (each === undefined ? [] : [{ path, method, ...each }])),
);

describe('openapi.json', () => {
  it('is up to date (npm run openapi writes it)', () => {
    expect(committed).toBe(openapiText());
  });

  it('is what the console hands out, to anybody', async () => {
    const answered = await call(consoleDoor(doorWorld().open), { method: 'GET', path: '/openapi.json' });

    expect(answered).toMatchObject({ status: 200, headers: { 'content-type': 'application/json; charset=utf-8' } });
    expect(answered.body).toEqual(JSON.parse(committed));
  });

  it('refers to nothing that is not in it, and has nothing that nobody refers to', () => {
    const refs = new Set([...committed.matchAll(/"\$ref": "#\/components\/([^"]+)"/g)].map(([, place]) => place));
    const { schemas, responses } = description.components;
    const places = [
      ...Object.keys(schemas).map((name) => `schemas/${name}`),
      ...Object.keys(responses).map((name) => `responses/${name}`),
    ];

    expect([...refs].sort()).toEqual(places.sort());
  });

  it('names each operation once, and each part of a path', () => {
    expect(new Set(all.map(({ operationId }) => operationId)).size).toBe(all.length);
    for (const { path, parameters } of all) {
      const inPath = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => `{${name}}`);
      expect(inPath).toEqual(path.match(/\{\w+\}/g) ?? []);
    }
  });

  it('knows every way to prove who one is that an operation asks for', () => {
    const asked = new Set(all.flatMap(({ security }) => security.flatMap((each) => Object.keys(each))));

    expect([...asked].sort()).toEqual(Object.keys(description.components.securitySchemes).sort());
  });

  it('leaves only the public ones open', () => {
    const open = all.filter(({ security }) => security.length === 0).map(({ path }) => path);

    expect([...new Set(open)].sort()).toEqual(['/', '/healthz', '/openapi.json']);
  });
});

describe('the table of operations', () => {
  const described = Object.keys(operations);

  it('has every route of the console', () => {
    const routes = consoleRoutes.map(({ method, path }) => `${method} ${path}`);

    expect(routes.filter((route) => !described.includes(route))).toEqual([]);
  });

  it('has what the gateway lets through, and nothing else', () => {
    const texts = textOf('serverless.yml') + textOf('lib/aws/packaging.ts');
    const routes = [...texts.matchAll(/httpApi: '?((?:GET|POST|PUT) [^\s']+)/g)].map(([, route = '']) => route);
    const plain = (route: string) => route.replace(/\{\w+\}/, '{}');
    // The page's HEAD goes through the route for whatever else.
    const expected = described.filter((route) => !route.startsWith('HEAD ')).map(plain);

    expect(routes.map(plain).sort()).toEqual(expected.sort());
  });

  it('has every code that a door of HTTP refuses with', () => {
    const doors = projectFiles('lib').filter((path) => /^lib\/(doors|alerts|[\w-]+\.ts)/.test(path));
    const thrown = doors.flatMap((path) => [
      ...textOf(path).matchAll(
        /(?:new DoorError\(\d+, |notAuthentic\(|notAllowed\(|eventFault\(|refusal\(\d+, )'(\w+)'/g,
      ),
    ]);

    expect(thrown.length).toBeGreaterThan(20);
    expect(thrown.map(([, code = '']) => code).filter((code) => !(code in refusals))).toEqual([]);
  });
});

describe('what the doors answer is what is described', () => {
  it('runs, jobs, pauses, health, errors', async () => {
    const world = doorWorld();
    const console = consoleDoor(world.open);
    const headers = bearer('key-1', operatorToken);
    const body = '{"reason":"a try"}';

    const started = await call(console, { path: '/jobs/nightly/runs', headers, body });
    const again = await call(console, { path: '/jobs/nightly/runs', headers, body });
    const { runId } = v.parse(acceptedSchema, started.body);
    const asked = async (path: string) => (await call(console, { method: 'GET', path, headers })).body;

    expect(v.is(duplicateSchema, again.body)).toBe(true);
    expect(v.parse(runSchema, await asked(`/runs/${runId}`)).runId).toBe(runId);
    expect(v.parse(runsSchema, await asked('/runs')).runs).toHaveLength(1);
    expect(v.is(jobsSchema, await asked('/jobs'))).toBe(true);
    expect(v.is(pausesSchema, await asked('/pause'))).toBe(true);
    expect(v.is(healthSchema, await asked('/healthz'))).toBe(true);
    expect(v.is(errorSchema, await asked('/nowhere'))).toBe(true);
  });

  it('hooks', async () => {
    const answered = await call(webhookDoor(doorWorld().open), {
      path: '/hooks/token',
      headers: bearer('k', hookToken),
    });

    expect(v.is(acceptedSchema, answered.body)).toBe(true);
  });

  it('a run with everything in it', () => {
    const at = '2026-11-23T20:01:00.000Z';
    const whole = runOf({
      stop: { code: 'paused', reason: 'x', by: 'operator:bob', at },
      approval: {
        planHash: 'a'.repeat(64),
        requestedAt: at,
        lapsesAt: at,
        decision: { verdict: 'approved', by: 'x', at },
      },
      rungs: [{ number: 1, action: 'restart', status: 'failed', endedAt: at }],
      restore: 'so',
    });

    expect(v.parse(runSchema, asJson(whole))).toEqual(whole);
  });
});
