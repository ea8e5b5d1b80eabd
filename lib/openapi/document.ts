// The description of the doors as OpenAPI 3.1, out of the table of operations and the schemas by which bodies are read.
// It is made while developing (`npm run openapi`) and committed, so that a function starts with a ready text.

import { type JsonSchema, toJsonSchema } from '@valibot/to-json-schema';
import type { GenericSchema } from 'valibot';
import manifest from '../../package.json' with { type: 'json' };
import * as answers from './answers.ts';
import { type Answer, type Operation, operations, type Parameter } from './operations.ts';
import { type RefusalCode, refusals } from './refusals.ts';

/** Schemas that stand once and are referred to. */
const named = new Map<GenericSchema, string>([
  [answers.errorSchema, 'Error'],
  [answers.runSchema, 'Run'],
  [answers.runsSchema, 'Runs'],
  [answers.jobsSchema, 'Jobs'],
  [answers.pausesSchema, 'Pauses'],
  [answers.acceptedSchema, 'Accepted'],
  [answers.duplicateSchema, 'Duplicate'],
  [answers.ignoredSchema, 'Ignored'],
  [answers.acknowledgedSchema, 'Acknowledged'],
  [answers.takenSchema, 'Taken'],
  [answers.healthSchema, 'Health'],
]);

const inHeader = (name: string, description: string) => ({ type: 'apiKey', in: 'header', name, description });

const securitySchemes = {
  operator: {
    type: 'http',
    scheme: 'bearer',
    description: 'The token of an operator; its rights are in the configuration.',
  },
  readKey: {
    type: 'apiKey',
    in: 'query',
    name: 'key',
    description: 'Part of the `statusUrl` of a hook’s answer; opens that one run for 24 hours.',
  },
  hookToken: {
    type: 'http',
    scheme: 'bearer',
    description: 'Hooks with `auth: bearer`, together with `Idempotency-Key`.',
  },
  standardWebhooks: inHeader(
    'webhook-signature',
    'HMAC-SHA256 of `<webhook-id>.<webhook-timestamp>.<body>` after https://www.standardwebhooks.com, with the headers `webhook-id` and `webhook-timestamp`.',
  ),
  github: inHeader('X-Hub-Signature-256', 'HMAC-SHA256 of the body, with `X-GitHub-Delivery` and `X-GitHub-Event`.'),
  grafana: inHeader(
    'X-Grafana-Alerting-Signature',
    'HMAC-SHA256 of the body, or of the time and the body; the names of both headers are configured.',
  ),
  sourceToken: { type: 'http', scheme: 'bearer', description: 'Sources with `auth: bearer`.' },
  sourcePassword: { type: 'http', scheme: 'basic', description: 'Sources with `auth: basic`.' },
};

/** The text of openapi.json. */
export function openapiText(): string {
  const document = {
    openapi: '3.1.0',
    info: {
      title: 'dcs-autopilot',
      version: manifest.version,
      description:
        'Runs of jobs on fleets of Huawei Cloud DCS instances. Errors are `{error: {code, message, details?}}`. Times are ISO 8601 UTC.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '.', description: 'Beside this document' }],
    paths: paths(),
    components: {
      schemas: Object.fromEntries([...named].map(([schema, name]) => [name, plain(schema)])),
      responses: refusedAnswers(),
      securitySchemes,
    },
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function paths(): Record<string, object> {
  const found: Record<string, Record<string, object>> = {};
  for (const [route, operation] of Object.entries(operations)) {
    const [method = '', path = ''] = route.split(' ');
    found[path] = { ...found[path], [method.toLowerCase()]: operationOf(path, operation) };
  }
  return found;
}

function operationOf(path: string, operation: Operation): object {
  const { id, does, may, parameters = [], body, example } = operation;
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => pathParameter(name));
  const all = [...inPath, ...parameters.map(parameterOf)];
  return {
    operationId: id,
    summary: does,
    security: may.map((scheme) => (scheme === '' ? {} : { [scheme]: [] })),
    ...(all.length > 0 && { parameters: all }),
    ...(body !== undefined && { requestBody: json({ schema: plain(body), ...(example && { example }) }) }),
    responses: { ...answersOf(operation.answers), ...refusalsOf(operation.refusals) },
  };
}

function pathParameter(name: string): object {
  return { in: 'path', name, required: true, schema: { type: 'string' } };
}

function parameterOf({ in: place, name, description, schema }: Parameter): object {
  return { in: place, name, description, schema };
}

function answersOf(known: Operation['answers']): Record<string, object> {
  return Object.fromEntries(Object.entries(known).map(([status, answer]) => [status, answerOf(answer)]));
}

function answerOf({ description, schema, media }: Answer): object {
  if (media !== undefined) return { description, content: { [media]: {} } };
  if (schema === undefined) return { description };
  const [first, ...more] = schema.map(referred);
  return { description, ...json({ schema: more.length === 0 ? first : { oneOf: [first, ...more] } }) };
}

/** One answer for each status, which stands once for all operations that have the same codes. */
function refusalsOf(codes: readonly RefusalCode[]): Record<string, object> {
  const places = refusedWith(codes).map(([name]) => [name.slice(0, 3), { $ref: `#/components/responses/${name}` }]);
  return Object.fromEntries(places);
}

/** The answers of all operations, by status and codes, each with the meaning of its codes. */
function refusedAnswers(): Record<string, object> {
  return Object.fromEntries(Object.values(operations).flatMap((operation) => refusedWith(operation.refusals)));
}

function refusedWith(codes: readonly RefusalCode[]): (readonly [name: string, answer: object])[] {
  if (codes.length === 0) return [];
  const byStatus = Object.groupBy(new Set(codes), (code) => refusals[code][0]);
  const refused = Object.entries(byStatus).map(([status, alike = []]) => {
    const description = alike.map((code) => `\`${code}\`: ${refusals[code][1]}`).join('\n\n');
    return [[status, ...alike].join('-'), { description, ...json({ schema: referred(answers.errorSchema) }) }] as const;
  });
  // Of the gateway, which answers in a form of its own.
  return [...refused, ['429', { description: 'More requests than the gateway lets through; send this again.' }]];
}

function json(content: object): object {
  return { content: { 'application/json': content } };
}

function referred(schema: GenericSchema): object {
  return { $ref: `#/components/schemas/${named.get(schema)}` };
}

function plain(schema: GenericSchema): JsonSchema {
  const ignoreActions = ['check', 'transform', 'to_lower_case'];
  const { $schema: _, ...rest } = toJsonSchema(schema, { target: 'draft-2020-12', typeMode: 'input', ignoreActions });
  return rest;
}
