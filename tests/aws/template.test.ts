// The template that packaging makes for CloudFormation: what each function may do, and nothing else; what the table, the
// tick and the API are like.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as v from 'valibot';
import { readEnvironment } from '../../lib/aws/environment.ts';
import { functionNames, root } from '../support/bundles.ts';
import { anyKeys, tableShape } from '../support/dynamo-table.ts';
import { packageService } from '../support/packaged-service.ts';

const anything = v.record(v.string(), v.unknown());
const templateFile = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    Resources: v.record(v.string(), v.looseObject({ Type: v.string(), Properties: v.optional(anything, {}) })),
  }),
);
const listed = v.union([
  v.array(v.unknown()),
  v.pipe(
    v.unknown(),
    v.transform((one) => [one]),
  ),
]);
const statement = v.strictObject({ Effect: v.literal('Allow'), Action: listed, Resource: listed });
const role = v.object({
  Policies: v.array(v.object({ PolicyDocument: v.object({ Statement: v.array(statement) }) })),
});

const folder = mkdtempSync(join(tmpdir(), 'autopilot-template-'));
let template: v.InferOutput<typeof templateFile>['Resources'];

beforeAll(async () => {
  const service = join(folder, 'service');
  const { code, output } = await packageService(service, join(root, 'tests/fixtures/autopilot-aws.yml'), 'test-1');
  if (code !== 0) throw new Error(output);
  const file = join(service, '.serverless/cloudformation-template-update-stack.json');
  template = v.parse(templateFile, readFileSync(file, 'utf8')).Resources;
});

afterAll(() => rmSync(folder, { recursive: true }));

function resource(name: string) {
  const found = template[name];
  if (found === undefined) throw new Error(`the template has no ${name}`);
  return found;
}

/** What a role allows, as `action on resource`. Places are shortened: `table`, `function:run:durable`. */
function rightsOf(name: string): string[] {
  const { Policies } = v.parse(role, resource(name).Properties);
  const statements = Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
  return statements
    .flatMap(({ Action, Resource }) =>
      Action.flatMap((action) => Resource.map((each) => `${action} on ${placeOf(each)}`)),
    )
    .sort();
}

function placeOf(resource: unknown): string {
  return JSON.stringify(resource)
    .replace(/^\{"Fn::GetAtt":\["(\w+)","Arn"\]\}$/, '$1')
    .replace(/^\{"Fn::Sub":\[?"([^"]*)"(,\{"Name":"([^"]*)"\}\])?\}$/, (_, text, __, given) =>
      text.replace(/\$\{Name\}/, given),
    )
    .replace(/^arn:\$\{AWS::Partition\}:\w+:\$\{AWS::Region\}:\$\{AWS::AccountId\}:/, '')
    .replace(/\$\{StateTable\.Arn\}/, 'StateTable')
    .replace('dcs-autopilot-test-1-', '');
}

const items = ['GetItem', 'PutItem', 'UpdateItem'].map((name) => `dynamodb:${name} on StateTable`);
const query = ['dynamodb:Query on StateTable', 'dynamodb:Query on StateTable/index/job-createdAt'];
const start = 'lambda:InvokeFunction on function:run:durable';
const wake = 'lambda:SendDurableExecutionCallbackSuccess on function:run:*/durable-execution/*/*';
const log = (name: string) => ['CreateLogStream', 'PutLogEvents'].map((what) => `logs:${what} on ${name}LogGroup`);
const noSecret = (service: string, action: string) =>
  `${service}:${action} on arn:\${AWS::Partition}:${service}:*:000000000000:none`;

describe('rights', () => {
  test.each([
    [
      'WebhookRole',
      [
        ...log('Webhook'),
        ...items,
        start,
        'ssm:GetParameter on parameter/test/call-token',
        'ssm:GetParameter on parameter/test/deploy-hook-secret',
        'ssm:GetParameter on parameter/test/deploy-hook-secret-2',
        'ssm:GetParameter on parameter/test/gh-secret',
        noSecret('secretsmanager', 'GetSecretValue'),
      ],
    ],
    [
      'AlertRole',
      [
        ...log('Alert'),
        ...items,
        'dynamodb:Query on StateTable',
        start,
        wake,
        'ssm:GetParameter on parameter/test/alert-token',
        'secretsmanager:GetSecretValue on secret:test/smn-??????',
      ],
    ],
    [
      'ConsoleRole',
      [
        ...log('Console'),
        ...items,
        ...query,
        start,
        wake,
        'ssm:GetParameter on parameter/test/alice-token',
        'secretsmanager:GetSecretValue on secret:test/watcher-token-??????',
      ],
    ],
    [
      'ScheduleRole',
      [
        ...log('Schedule'),
        ...items,
        ...query,
        start,
        wake,
        'lambda:ListDurableExecutionsByFunction on function:run',
        'lambda:ListDurableExecutionsByFunction on function:run:*',
      ],
    ],
    [
      'RunRole',
      [
        ...log('Run'),
        ...items,
        'dynamodb:Query on StateTable',
        'lambda:CheckpointDurableExecution on function:run:*/durable-execution/*/*',
        'lambda:GetDurableExecutionState on function:run:*/durable-execution/*/*',
        'events:PutEvents on "arn:aws:events:eu-west-1:444455556666:event-bus/central"',
        'events:PutEvents on event-bus/default',
        'sns:Publish on "arn:aws:sns:eu-central-1:111122223333:runs"',
        'ssm:GetParameter on parameter/test/chat-webhook',
        'ssm:GetParameter on parameter/test/huaweicloud-sdk',
        'ssm:GetParameter on parameter/test/simulator',
        'secretsmanager:GetSecretValue on secret:test/plain-??????',
      ],
    ],
    ['SchedulerRole', ['lambda:InvokeFunction on ScheduleLambdaFunction', 'sqs:SendMessage on LostTicks']],
  ])('%s may do what is called, and nothing else', (name, rights) => {
    expect(rightsOf(name)).toEqual(rights.toSorted());
  });

  test('are those of a role of its own for each function, and of no other role', () => {
    const roles = Object.entries(template).filter(([, { Type }]) => Type === 'AWS::IAM::Role');
    const used = functionNames.map((name) => resource(`${capital(name)}LambdaFunction`).Properties['Role']);

    expect(used).toEqual(functionNames.map((name) => ({ 'Fn::GetAtt': [`${capital(name)}Role`, 'Arn'] })));
    expect(roles.map(([name]) => name).sort()).toEqual(
      [...functionNames.map((name) => `${capital(name)}Role`), 'SchedulerRole'].sort(),
    );
  });
});

describe('the function of alerts', () => {
  test('is called by its routes, by the listed topics, by EventBridge and by alarms of this account', () => {
    const callers = Object.values(template)
      .filter(({ Type }) => Type === 'AWS::Lambda::Permission')
      .filter(({ Properties }) => JSON.stringify(Properties['FunctionName']).includes('AlertLambdaFunction'))
      .map(({ Properties }) => Properties['Principal']);
    const routes = Object.values(template)
      .filter(({ Type }) => Type === 'AWS::ApiGatewayV2::Route')
      .map(({ Properties }) => Properties['RouteKey']);
    const bus = Object.values(template).filter(({ Type }) => Type === 'AWS::Events::Rule');
    const topics = Object.values(template).filter(({ Type }) => Type === 'AWS::SNS::Subscription');

    expect(callers.toSorted()).toEqual([
      'apigateway.amazonaws.com',
      'events.amazonaws.com',
      'lambda.alarms.cloudwatch.amazonaws.com',
      'sns.amazonaws.com',
    ]);
    expect(routes).toEqual(expect.arrayContaining(['POST /alerts/{source}', 'PUT /alerts/{source}']));
    expect(bus.map(({ Properties }) => Properties['EventPattern'])).toEqual([
      { source: ['aws.cloudwatch'], 'detail-type': ['CloudWatch Alarm State Change'] },
    ]);
    expect(topics.map(({ Properties }) => Properties)).toMatchObject([
      { TopicArn: 'arn:aws:sns:eu-central-1:111122223333:alarms', Protocol: 'lambda' },
    ]);
    expect(resource('AlarmsMayCall').Properties).toMatchObject({ SourceAccount: { Ref: 'AWS::AccountId' } });
  });
});

describe('each function', () => {
  test.each(functionNames)('%s runs on arm64 and finds all that it reads of its environment', (name) => {
    const { Properties } = resource(`${capital(name)}LambdaFunction`);
    const variables = v.parse(v.object({ Variables: v.record(v.string(), v.unknown()) }), Properties['Environment']);
    const { TABLE_NAME, RUN_ALIAS, LOG_LEVEL } = variables.Variables;
    const env = {
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: anyKeys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: anyKeys.secretAccessKey,
      TABLE_NAME: v.parse(v.object({ Ref: v.literal('StateTable') }), TABLE_NAME).Ref,
      RUN_ALIAS: resolved(RUN_ALIAS),
      LOG_LEVEL: v.parse(v.string(), LOG_LEVEL),
    };

    expect(Properties).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'] });
    expect(readEnvironment(env).runAlias).toBe(
      'arn:aws:lambda:eu-central-1:111122223333:function:dcs-autopilot-test-1-run:durable',
    );
  });

  test('the run is durable, and the alias that runs are started at is its own', () => {
    expect(resource('RunLambdaFunction').Properties).toMatchObject({
      FunctionName: 'dcs-autopilot-test-1-run',
      DurableConfig: { RetentionPeriodInDays: 90 },
    });
    expect(resource('RunDurableLambdaAlias').Properties).toMatchObject({
      Name: 'durable',
      FunctionName: { Ref: 'RunLambdaFunction' },
    });
  });

  test('keeps its log for as long as runs are kept', () => {
    const groups = Object.values(template).filter(({ Type }) => Type === 'AWS::Logs::LogGroup');

    expect(groups.map(({ Properties }) => Properties['RetentionInDays'])).toEqual([90, 90, 90, 90, 90, 90]);
  });
});

describe('around them', () => {
  test('the table is the one that the tests use, is paid by the call, backed up, and outlives the stack', () => {
    const { Properties, ...table } = resource('StateTable');

    expect(Properties).toMatchObject(tableShape);
    expect(Properties).toMatchObject({
      DeletionProtectionEnabled: true,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
    });
    expect(table).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  });

  test('the tick comes each minute, is delivered again, and is kept where it could not be', () => {
    expect(resource('Tick').Properties).toMatchObject({
      ScheduleExpression: 'rate(1 minute)',
      Target: {
        Arn: { 'Fn::GetAtt': ['ScheduleLambdaFunction', 'Arn'] },
        RetryPolicy: { MaximumRetryAttempts: 3, MaximumEventAgeInSeconds: 60 },
        DeadLetterConfig: { Arn: { 'Fn::GetAtt': ['LostTicks', 'Arn'] } },
      },
    });
    expect(resource('ScheduleLambdaEvConf').Properties).toMatchObject({ MaximumRetryAttempts: 0 });
  });

  test('the API is throttled, and its log names routes and no paths', () => {
    const { DefaultRouteSettings, AccessLogSettings } = resource('HttpApiStage').Properties;
    const { Format } = v.parse(v.object({ Format: v.pipe(v.string(), v.parseJson()) }), AccessLogSettings);

    expect(DefaultRouteSettings).toEqual({ ThrottlingRateLimit: 50, ThrottlingBurstLimit: 100 });
    expect(Format).toMatchObject({ requestId: '$context.requestId', route: '$context.routeKey' });
    expect(JSON.stringify(Format)).not.toMatch(/\$context\.(path|authorizer)|queryString/);
  });
});

function capital(name: string): string {
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

function resolved(text: unknown): string {
  return v
    .parse(v.object({ 'Fn::Sub': v.string() }), text)
    ['Fn::Sub'].replace(/\$\{AWS::Partition\}/, 'aws')
    .replace(/\$\{AWS::Region\}/, 'eu-central-1')
    .replace(/\$\{AWS::AccountId\}/, '111122223333');
}
