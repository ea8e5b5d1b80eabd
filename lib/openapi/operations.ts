// The one table of what can be asked over HTTP: for each method and path who may, what is sent and what comes back. Every
// route of the console has its entry (a test holds that), the other doors beside them.

import type { GenericSchema } from 'valibot';
import { retryBody } from '../doors/again.ts';
import { pauseBody, resumeBody } from '../doors/pausing.ts';
import { cancelBody, decisionBody } from '../doors/steer.ts';
import { hookBody, manualBody } from '../event.ts';
import { statuses } from '../record.ts';
import {
  acceptedSchema,
  acknowledgedSchema,
  duplicateSchema,
  healthSchema,
  ignoredSchema,
  jobsSchema,
  pausesSchema,
  runSchema,
  runsSchema,
  takenSchema,
} from './answers.ts';
import { anywhere, type RefusalCode, withBody, withInstances, withToken } from './refusals.ts';

/** A parameter of a query, or a header. */
export interface Parameter {
  readonly in: 'query' | 'header';
  readonly name: string;
  readonly description: string;
  readonly schema: object;
}

/** An answer that is no error. `media` of anything but JSON. */
export interface Answer {
  readonly description: string;
  readonly schema?: readonly GenericSchema[];
  readonly media?: string;
}

/** One thing to ask for. `may`: what lets somebody in; none: anybody. */
export interface Operation {
  readonly id: string;
  readonly does: string;
  readonly may: readonly string[];
  readonly parameters?: readonly Parameter[];
  readonly body?: GenericSchema;
  readonly example?: object;
  readonly answers: Readonly<Record<number, Answer>>;
  readonly refusals: readonly RefusalCode[];
}

const hash = '1bbeb5a48971fb59d1e442a7c83d7e97bc4a49c3b8837d47129a4de3f4c852a6';
const text = { type: 'string' } as const;

const idempotencyKey: Parameter = {
  in: 'header',
  name: 'Idempotency-Key',
  description: 'Tells one request from another; a repeated one finds the run of the first.',
  schema: { type: 'string', minLength: 1, maxLength: 128 },
};

const listParameters: readonly Parameter[] = [
  { in: 'query', name: 'job', description: 'Only runs of this job', schema: text },
  {
    in: 'query',
    name: 'status',
    description: 'Only runs with this status',
    schema: { type: 'string', enum: statuses },
  },
  {
    in: 'query',
    name: 'limit',
    description: 'Runs at most',
    schema: { type: 'integer', minimum: 1, maximum: 100, default: 50 },
  },
  { in: 'query', name: 'cursor', description: '`next` of the page before', schema: text },
];

const started: Operation['answers'] = {
  200: { description: 'The run was there already.', schema: [duplicateSchema] },
  202: { description: 'The run is stored; `Location` is where it is looked at.', schema: [acceptedSchema] },
};
const spoken: Operation['answers'] = { 202: { description: 'It is written down.', schema: [acceptedSchema] } };
const paused: Operation['answers'] = { 200: { description: 'Every pause that stands.', schema: [pausesSchema] } };
const signed: readonly RefusalCode[] = [
  'signature_missing',
  'signature_invalid',
  'timestamp_outside_window',
  'token_missing',
  'token_invalid',
];

/** An operation of an operator. */
function byOperator(operation: Omit<Operation, 'may'>): Operation {
  const body = operation.body === undefined ? (['malformed'] as const) : withBody;
  return { ...operation, may: ['operator'], refusals: [...anywhere, ...withToken, ...body, ...operation.refusals] };
}

const alertsTaken: Operation = {
  id: 'takeAlerts',
  does: 'Takes what Alertmanager, Grafana or SMN sends, in the sender’s own form. Each alert is decided alone.',
  may: ['sourceToken', 'sourcePassword', 'grafana', ''],
  answers: {
    200: { description: 'A message of SMN about a subscription was dealt with.', schema: [acknowledgedSchema] },
    202: { description: 'What was started, and what was not and why.', schema: [takenSchema] },
  },
  refusals: [
    ...anywhere,
    ...withBody,
    ...signed,
    'password_missing',
    'password_invalid',
    'certificate_expired',
    'topic_not_listed',
    'not_found',
    'secrets_unavailable',
    'state_unavailable',
    'certificate_unavailable',
    'confirmation_failed',
  ],
};

/** All of them, by method and path. */
export const operations: Readonly<Record<string, Operation>> = {
  'GET /': {
    id: 'page',
    does: 'The page for operators; it holds no data.',
    may: [],
    answers: { 200: { description: 'The page.', media: 'text/html' } },
    refusals: anywhere,
  },
  'HEAD /': {
    id: 'pageHead',
    does: 'Whether the page is there.',
    may: [],
    answers: { 200: { description: 'It is.' } },
    refusals: [],
  },
  'GET /healthz': {
    id: 'health',
    does: 'Whether the service answers.',
    may: [],
    answers: { 200: { description: 'It does.', schema: [healthSchema] } },
    refusals: anywhere,
  },
  'GET /openapi.json': {
    id: 'openapi',
    does: 'This document.',
    may: [],
    answers: { 200: { description: 'OpenAPI 3.1.', media: 'application/json' } },
    refusals: anywhere,
  },
  'GET /runs': byOperator({
    id: 'listRuns',
    does: 'The newest runs first. A page may be short of its limit while there are more (`next`). Needs the right `read`.',
    parameters: listParameters,
    answers: { 200: { description: 'One page.', schema: [runsSchema] } },
    refusals: [],
  }),
  'GET /runs/{runId}': {
    ...byOperator({
      id: 'showRun',
      does: 'A run with its plan and outcomes. Needs the right `read`, or the key in the `statusUrl` of a hook’s answer (24 hours).',
      parameters: [
        {
          in: 'query',
          name: 'wait',
          description: 'Seconds to wait for its end: `0` to `25`, or `25s`',
          schema: { type: 'string', pattern: '^(\\d|1\\d|2[0-5])s?$' },
        },
      ],
      answers: { 200: { description: 'The run.', schema: [runSchema] } },
      refusals: ['not_found', 'read_key_invalid'],
    }),
    may: ['operator', 'readKey'],
  },
  'POST /runs/{runId}/approve': byOperator({
    id: 'approveRun',
    does: 'Lets a plan go on, by its hash. Needs the right `approve`, of another operator than the requester.',
    body: decisionBody,
    example: { planHash: hash, reason: 'checked with the shop' },
    answers: spoken,
    refusals: ['own_request', 'not_found', 'wrong_status', 'other_plan', 'approval_lapsed', 'decided'],
  }),
  'POST /runs/{runId}/reject': byOperator({
    id: 'rejectRun',
    does: 'Ends a run whose plan waits, as refused. Needs the right `approve`.',
    body: decisionBody,
    example: { planHash: hash, reason: 'not on a Friday' },
    answers: spoken,
    refusals: ['not_found', 'wrong_status', 'other_plan', 'approval_lapsed', 'decided'],
  }),
  'POST /runs/{runId}/cancel': byOperator({
    id: 'cancelRun',
    does: 'Nothing more is sent; what was sent is verified. Needs the right `cancel`.',
    body: cancelBody,
    example: { reason: 'wrong fleet' },
    answers: spoken,
    refusals: ['not_found', 'wrong_status'],
  }),
  'POST /runs/{runId}/retry': byOperator({
    id: 'retryRun',
    does: 'A new run of what an ended one left failed or not started; one for each run. Needs the right `run`.',
    body: retryBody,
    example: { reason: 'the backup is over' },
    answers: started,
    refusals: ['not_found', 'wrong_status', 'disabled', 'job_changed', 'nothing_to_retry'],
  }),
  'GET /jobs': byOperator({
    id: 'listJobs',
    does: 'All jobs of the configuration. Needs the right `read`.',
    answers: { 200: { description: 'In the order of the configuration.', schema: [jobsSchema] } },
    refusals: [],
  }),
  'POST /jobs/{job}/runs': byOperator({
    id: 'startRun',
    does: 'Runs a job by hand, or makes its plan (`dryRun`). Needs the right `run`, and `breakGlass` for that member.',
    parameters: [idempotencyKey],
    body: manualBody,
    example: { dryRun: true, reason: 'too full' },
    answers: started,
    refusals: ['not_found', 'key_reused', ...withInstances, 'reason_required', 'event_not_allowed', 'no_instance'],
  }),
  'GET /pause': byOperator({ id: 'listPauses', does: 'Needs the right `read`.', answers: paused, refusals: [] }),
  'POST /pause': byOperator({
    id: 'pause',
    does: 'Stops all new sends, of one project or of everything. Needs the right `pause`.',
    body: pauseBody,
    example: { project: 'staging', reason: 'an incident' },
    answers: paused,
    refusals: ['project_unknown'],
  }),
  'POST /resume': byOperator({
    id: 'resume',
    does: 'Lifts one pause. Needs the right `pause`.',
    body: resumeBody,
    example: { project: 'staging' },
    answers: paused,
    refusals: ['project_unknown'],
  }),
  'POST /hooks/{job}': {
    id: 'callHook',
    does: 'Starts a job by its webhook. With `auth: github` the body is GitHub’s own, and its headers tell one delivery from another.',
    may: ['standardWebhooks', 'github', 'hookToken'],
    parameters: [idempotencyKey],
    body: hookBody,
    example: { instances: ['5f0c2a10-7d3e-4b6a-9c1d-000000000001'], reason: 'v2 is out' },
    answers: {
      200: {
        description: 'The run was there already, or the event starts nothing.',
        schema: [duplicateSchema, ignoredSchema],
      },
      202: {
        description: 'The run is stored; its `statusUrl` shows it for 24 hours without a token.',
        schema: [acceptedSchema],
      },
    },
    refusals: [
      ...anywhere,
      ...withBody,
      'key_required',
      ...signed,
      'not_found',
      'key_reused',
      ...withInstances,
      'instances_not_allowed',
      'secrets_unavailable',
      'state_unavailable',
    ],
  },
  'POST /alerts/{source}': alertsTaken,
  'PUT /alerts/{source}': {
    ...alertsTaken,
    id: 'putAlerts',
    does: 'The same, for Grafana, which may be told to send so.',
    may: ['sourceToken', 'sourcePassword', 'grafana'],
  },
};
