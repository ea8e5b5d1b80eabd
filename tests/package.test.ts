// Packaging: what is in each function and what is not, that it loads and answers in a process of its own, and that the
// configuration is compiled in or refused with every fault.

import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { build } from 'esbuild';
import * as v from 'valibot';
import configPlugins from '../lib/aws/packaging.ts';
import { readConfig } from '../lib/config/file.ts';
import { pageSource } from '../lib/page/source.ts';
import manifest from '../package.json' with { type: 'json' };
import { type AwsStandIn, runAlias, startAwsStandIn } from './support/aws-stand-in.ts';
import { type Bundle, bundleFunctions, type FunctionName, functionNames, root } from './support/bundles.ts';
import { bearer, eventOf, type Sent } from './support/door-world.ts';
import { loadBundle } from './support/load-bundle.ts';
import { packageService } from './support/packaged-service.ts';

const fixture = (name: string): string => join(root, 'tests/fixtures', name);
const folder = mkdtempSync(join(tmpdir(), 'autopilot-package-'));
let bundles: Readonly<Record<FunctionName, Bundle>>;

beforeAll(async () => {
  bundles = await bundleFunctions(join(folder, 'bundles'), { AUTOPILOT_CONFIG: fixture('autopilot-aws.yml') });
});

afterAll(() => rmSync(folder, { recursive: true }));

const doors = ['console', 'schedule', 'webhook'] as const;

describe('what a bundle holds', () => {
  it.each(doors)('%s has no durable SDK, no AWS SDK, no HTTP client and no signer', (name) => {
    const { inputs, packages } = bundles[name];

    expect([...packages].filter((each) => /durable|aws-sdk|smithy|node-fetch/.test(each))).toEqual([]);
    expect(inputs.filter((path) => path.startsWith('lib/huawei/') || path === 'lib/run.ts')).toEqual([]);
  });

  it('run has the durable SDK and its AWS client, so that the runtime’s own copy does not matter', () => {
    const { packages } = bundles.run;

    expect(packages).toContain('@aws/durable-execution-sdk-js');
    expect(packages).toContain('@aws-sdk/client-lambda');
  });

  it('run has no middleware and no door', () => {
    expect(bundles.run.packages).not.toContain('@middy/core');
    expect(bundles.run.inputs.filter((path) => path.startsWith('functions/'))).toEqual(['functions/run.ts']);
  });

  it.each(functionNames)(
    '%s has nothing of the local runtime, the command line, the file’s reader or the tests',
    (name) => {
      const { inputs, packages } = bundles[name];

      expect([...packages].filter((each) => ['yaml', 'croner', 'esbuild', 'dynalite'].includes(each))).toEqual([]);
      expect(inputs).not.toContain('node:sqlite');
      expect(inputs.filter((path) => /^(lib\/(local|cli)|tests)\//.test(path))).toEqual([]);
      expect(inputs).not.toContain('lib/config/file.ts');
      expect(inputs).not.toContain('lib/aws/packaging.ts');
    },
  );

  it('console has the version of package.json, and nothing else of it', () => {
    const code = readFileSync(bundles.console.file, 'utf8');

    expect([manifest.version, 'devDependencies', 'huaweicloud-sdk-core'].map((text) => code.includes(text))).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('keeps the doors light enough to start at once', () => {
    const light = doors.filter((name) => name !== 'console');

    expect(Math.max(...light.map((name) => bundles[name].bytes))).toBeLessThan(100_000);
    // It has texts in it that it hands out as they are: the page, and what describes the doors.
    expect(bundles.console.bytes).toBeLessThan(200_000);
    // Regular expressions in linear time, and a client for the certificates of SMN.
    expect(bundles.alert.bytes).toBeLessThan(400_000);
    expect(bundles.run.bytes).toBeLessThan(900_000);
  });
});

const load = (
  name: FunctionName,
  event: object,
  env: Readonly<Record<string, string>> = { AWS_REGION: 'eu-central-1' },
) => loadBundle(bundles[name].file, event, env);

describe('the compiled configuration', () => {
  it('is what was read from the file, down to the mappings that inherit nothing', async () => {
    const file = fixture('autopilot-aws.yml');
    const env = { AUTOPILOT_CONFIG: file };
    const outfile = join(folder, 'config.cjs');

    await build({
      entryPoints: [join(root, 'lib/aws/config.ts')],
      plugins: configPlugins({ classes: { Error } }, { env, stderr: () => undefined }),
      bundle: true,
      format: 'cjs',
      minify: true,
      outfile,
    });

    const { packagedConfig } = createRequire(import.meta.url)(outfile);
    expect(packagedConfig).toEqual(readConfig(readFileSync(file, 'utf8'), file));
    expect(Object.getPrototypeOf(packagedConfig.jobs)).toBeNull();
    expect(Object.getPrototypeOf(packagedConfig.projects)).toBeNull();
  });
});

describe('a bundle in a process of its own', () => {
  it.each([
    ['console', { method: 'GET', path: '/healthz' }],
    ['console', { method: 'GET', path: '/runs' }],
    ['webhook', { method: 'POST', path: '/hooks/restart-on-call', body: '{}' }],
  ] as const)(
    '%s in an incomplete environment answers %j with send again, and nothing of its inside',
    async (name, sent) => {
      const { type, answer, log } = await load(name, eventOf(sent));

      expect(type).toBe('function');
      expect(answer).toMatchObject({ statusCode: 503, headers: { 'content-type': 'application/json; charset=utf-8' } });
      const { body } = v.parse(v.object({ body: v.string() }), answer);
      expect(JSON.parse(body)).toEqual({
        error: { code: 'unavailable', message: 'The service is not ready; send this again.' },
      });
      expect(log).toContain('missing or malformed in the environment: AWS_ACCESS_KEY_ID');
    },
  );

  it('names files of ours in its log', async () => {
    const { log } = await load('console', eventOf({ method: 'GET', path: '/healthz' }));

    expect(log).toContain('lib/aws/environment.ts');
  });

  it('schedule fails its invocation, so that the error shows in its metrics', async () => {
    const { type, thrown } = await load('schedule', {});

    expect(type).toBe('function');
    expect(thrown).toMatchObject({ name: 'EnvironmentError', code: 'environment_incomplete' });
  });

  it('run ends its execution as failed, through the AWS client that it holds', async () => {
    const { type, answer } = await load('run', {
      DurableExecutionArn: 'arn:aws:lambda:eu-central-1:111122223333:function:run:1/durable-execution/a/b',
      CheckpointToken: 'token',
      InitialExecutionState: {
        Operations: [
          {
            Id: '1',
            Type: 'EXECUTION',
            Status: 'STARTED',
            StartTimestamp: 0,
            ExecutionDetails: { InputPayload: '{"runId":"nightly-flush-0123456789abcdef0123","v":1}' },
          },
        ],
        NextMarker: '',
      },
    });

    expect(type).toBe('function');
    expect(answer).toMatchObject({
      Status: 'FAILED',
      Error: { ErrorMessage: expect.stringContaining('missing or malformed in the environment') },
    });
  });
});

describe('the doors as they are packaged, with AWS behind one address', () => {
  let aws: AwsStandIn;
  const body = '{"reason":"v2 is out"}';
  const hook = { method: 'POST', path: '/hooks/restart-on-call', body, headers: bearer('key-1', 'token-made-up') };
  const answered = v.object({ statusCode: v.number(), body: v.pipe(v.string(), v.parseJson()) });
  const ask = async (name: FunctionName, sent: Sent) =>
    v.parse(answered, (await load(name, eventOf(sent), aws.env)).answer);

  beforeAll(async () => {
    aws = await startAwsStandIn();
    aws.parameters.set('/test/call-token', 'token-made-up');
    aws.calls.length = 0;
  });

  afterAll(() => aws.close());

  it('take a hook, store its run and start it under its id; a repeated one finds it', async () => {
    const first = await ask('webhook', hook);
    const made = aws.calls.splice(0);
    const second = await ask('webhook', hook);

    const { runId } = v.parse(v.object({ runId: v.string() }), first.body);
    expect(first).toMatchObject({ statusCode: 202, body: { status: 'accepted' } });
    expect(second).toEqual({ statusCode: 200, body: { runId, status: 'accepted', duplicate: true } });
    expect(made).toEqual([
      'GetParameter',
      'GetItem',
      'PutItem',
      'PutItem',
      'UpdateItem',
      expect.stringContaining('POST /2015-03-31/functions/'),
      'UpdateItem',
    ]);
    expect(aws.started).toEqual([{ function: runAlias, name: runId, payload: `{"runId":"${runId}","v":1}` }]);
  });

  it('let nobody in without a token, at the cost of one read of the secret', async () => {
    aws.calls.length = 0;

    const { statusCode } = await ask('webhook', { ...hook, headers: bearer('key-2', 'wrong-token') });

    expect(statusCode).toBe(401);
    expect(aws.calls).toEqual(['GetParameter']);
  });

  it('take an alert, store it and its run, and start the run under its id', async () => {
    aws.parameters.set('/test/alert-token', 'token-made-up');
    const startsAt = new Date().toISOString();
    const labels = { alertname: 'RedisFragmentationHigh', dcs_instance_id: '1111aaaa-cebf-4473-95c4-d1b573c16e79' };
    const alert = { status: 'firing', labels, annotations: {}, startsAt, fingerprint: '0123456789abcdef' };
    const group = JSON.stringify({ version: '4', alerts: [alert] });
    const headers = { authorization: 'Bearer token-made-up' };

    const { statusCode, body: taken } = await ask('alert', { path: '/alerts/alertmanager', headers, body: group });

    const id = { runId: v.string(), job: v.literal('restart-on-alert'), instanceId: v.string() };
    const { started } = v.parse(v.object({ started: v.tuple([v.object(id)]) }), taken);
    expect(statusCode).toBe(202);
    expect(aws.started.at(-1)).toMatchObject({ name: started[0].runId });
  });

  it('take an alarm that comes through EventBridge', async () => {
    const file = join(root, 'tests/fixtures/alerts/aws-eventbridge-cloudwatch-alarm-state-change.json');

    const { answer } = await load('alert', JSON.parse(readFileSync(file, 'utf8')), aws.env);

    expect(answer).toMatchObject({ started: [], ignored: [{ code: 'no_match' }] });
  });

  it('serve the page, made smaller, under a policy that names its hashes', async () => {
    const page = v.object({ headers: v.record(v.string(), v.string()), body: v.string() });
    const { headers, body } = v.parse(
      page,
      (await load('console', eventOf({ method: 'GET', path: '/' }), aws.env)).answer,
    );
    const [, script = ''] = /<script type="module">(.*)<\/script>/s.exec(body) ?? [];

    expect(headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8' });
    expect(headers['content-security-policy']).toContain(createHash('sha256').update(script).digest('base64'));
    expect(script.length).toBeLessThan(pageSource().script.length / 1.5);
  });

  it('tick', async () => {
    const { answer } = await load('schedule', {}, aws.env);

    expect(answer).toEqual({ accepted: [], missed: [], overlapped: [], started: [], died: [], telling: [] });
  });
});

describe('npx serverless package', () => {
  const service = join(folder, 'service');

  const packaged = (config: string | null, stage = 'test-1') =>
    packageService(service, config === null ? null : fixture(config), stage);

  it('packages without a configuration, with a note', async () => {
    const { code, output } = await packaged(null);

    expect({ code, output }).toMatchObject({
      code: 0,
      output: expect.stringContaining('There is no autopilot.yml here: the functions are packaged with an empty'),
    });
    expect(readdirSync(join(service, '.serverless')).filter((file) => file.endsWith('.zip'))).toEqual(
      functionNames.map((name) => `${name}.zip`),
    );
  }, 60_000);

  it('packages with a configuration', async () => {
    const { code, output } = await packaged('autopilot-aws.yml');

    expect({ code, output }).toMatchObject({
      code: 0,
      output: expect.stringMatching(/autopilot\.yml: packaged with \d+ jobs for stage test-1\./),
    });
  }, 60_000);

  it('refuses a stage that is another one than that of the configuration', async () => {
    const { code, output } = await packaged('autopilot-aws.yml', 'prod');

    expect(code).toBe(1);
    expect(output).toContain('autopilot.yml: stage: is test-1, and this is packaged for stage prod');
    expect(output).not.toMatch(/^\s+at /m);
  }, 60_000);

  it('refuses secrets of an environment, with the line of each', async () => {
    const { code, output } = await packaged('autopilot.yml');

    expect(code).toBe(1);
    expect(output).toContain(
      'autopilot.yml:8: projects.staging.credentials.aksk: a function on AWS takes no env: secret',
    );
    expect(output.match(/a function on AWS takes no env: secret/g)?.length).toBeGreaterThanOrEqual(8);
  }, 60_000);

  it('refuses a faulty configuration with every fault and its line, and without a stack trace', async () => {
    const { code, output } = await packaged('twenty-faults.yml');

    expect(code).toBe(1);
    expect(output.match(/autopilot\.yml:\d+: .+: .+/g)?.length).toBeGreaterThanOrEqual(20);
    expect(output).not.toMatch(/^\s+at /m);
  }, 60_000);
});
