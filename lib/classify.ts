// The one table of errors: what each answer of DCS or its gateway means for the caller. Code before status.

/**
 * What to do about an answer that is no success.
 * - `busy`: the instance is at work; wait until it is not, then send again
 * - `throttled`: too many calls; wait, then send again
 * - `unreachable`: nothing was sent; wait, then send again
 * - `unknown`: it may have been done; read the instance before anything else
 * - `auth`: the credentials are not accepted; renew once, then stop
 * - `final`: this will not work for these instances, however often it is sent
 * - `split`: the batch is too large
 * - `config`: this will not work for any instance of the project; stop the run
 */
export const errorClasses = [
  'busy',
  'throttled',
  'unreachable',
  'unknown',
  'auth',
  'final',
  'split',
  'config',
] as const;
export type ErrorClass = (typeof errorClasses)[number];

/** One failed call, without any secret: what it means, and the facts for whoever looks into it. */
export interface Problem {
  readonly class: ErrorClass;
  /** The service's own code (`DCS.4111`), or ours in lower case (`timeout`, `connection_lost`, `clock_skew`). */
  readonly code: string;
  readonly message: string;
  readonly status?: number;
  readonly requestId?: string;
  /** Seconds, from a Retry-After header. */
  readonly retryAfter?: number;
}

/** Codes of one class, as the numbers behind their prefix. */
type Group = readonly [ErrorClass, string];

// Source: Open Telekom Cloud's "DCS API Reference", appendix "Error Codes" (both spellings of each code), and the codes
// that the Terraform provider waits for. Messages are never parsed.
const dcs: readonly Group[] = [
  // Another operation has the instance; DCS says so with HTTP 400, once with 500, never with 409. 4026 and 4049 may also
  // be misuse that no waiting heals: whoever waits reads the instance's state, and that tells.
  ['busy', '4017 4026 4049 4069 4096 4097 4099 4104 4108 4111 4113 4114 4115 4116 4117 4118 4120 4300 4918'],
  // Known from the Terraform provider only: password reset, offline key analysis, creating or restarting.
  ['busy', '4121 4231 4975'],
  // More than 50 ids in one array.
  ['split', '4100'],
  // A token that is missing, wrong or expired.
  ['auth', '1001 1002 1003'],
  // The key lacks a right or belongs to another project: every other instance would hear the same.
  ['config', '1004 2003 2007 3002 3003 4002 5101'],
  // The endpoint does not know this call, or the call is built wrongly: our fault, so no repetition helps.
  ['config', '4001 4004 4005 4064 4065 5001'],
  // The instance is gone, its id is none, or somebody has to pay first.
  ['final', '3022 4061 4107'],
  // This engine, version, type or node cannot do it.
  ['final', '4006 4007 4008 4022 4027 4086 4094 4095 4102 4103 4838 4839 4840 4841 4848 4850 4855 4919 4999 5050'],
  // A parameter is not accepted; it may be about one id of many, so this does not stop the others.
  ['final', '3053 4009 4010 4011 4012 4013 4014 4016 4018 4019 4020 4021 4025 4028 4030 4031 4033 4037 4038 4042 4046'],
  ['final', '4047 4048 4062 4063 4066 4067 4068 4070 4072 4073 4074 4075 4076 4080 4098 4105 4106 4202 4800 4819 4820'],
  ['final', '4821 4822 4843 4844 4845 4849 4927 4930 4933 4939'],
  // Quotas, orders and outcomes of other operations, which do not pass by themselves.
  ['final', '4023 4035 4036 4039 4045 4053 4054 4060 4087 4119 4200 4253 4846 4847 4875 4879 4911 4931 4935 4936 4937'],
  ['final', '4941 4942 4957 4998'],
  // The service failed on its side, perhaps after it had handed the work on.
  [
    'unknown',
    '4101 4842 5000 5006 5017 5020 5024 5031 5032 5037 5039 5040 5041 5042 5043 5044 5045 5053 5054 5070 5071',
  ],
  ['unknown', '5077 5078 5079 5081 5082 5083 5085 5090 5091 5092 5094 5095 5104'],
];

// Source: "API Request Signing Guide", error codes; `APIGW.` on Huawei Cloud, `APIG.` on Open Telekom Cloud. 0201 is not
// here on purpose: it stands for anything from a bad request to a backend time-out, and only the status tells which.
const gateway: readonly Group[] = [
  // No such API in this region, the user or project is blocked, or a quota of the gateway is used up.
  ['config', '0101 0302 0310 0501 0502 0802'],
  // A signature, key or clock that is wrong; a token that has to be renewed.
  ['auth', '0301 0307'],
  ['throttled', '0308'],
  // The gateway lost its backend, or itself.
  ['unknown', '0202 0203 0601 0606 0608 0609 0610 0611 0612 0613'],
];

// Source: "IAM API Reference", error codes.
const iam: readonly Group[] = [
  ['auth', '0001 0061 0062 0063 0066 0067'],
  ['config', '0002 0003 0004 0080 0081 0082 0083'],
  // Throttled, and IAM in a failover: neither let the call through.
  ['throttled', '0012 0020'],
  ['unknown', '0006'],
];

const table: ReadonlyMap<string, ErrorClass> = new Map([
  ...entries('DCS', dcs),
  ...entries('APIGW', gateway),
  ...entries('IAM', iam),
  // An order for the instance is in progress.
  ...entries('CBC', [['busy', '99003651']]),
]);

/**
 * The class of an answer that is no success, as it is for the status call: there a 5xx is `unknown`, where a read would
 * simply be repeated. `code` is the service's, in any of its spellings, or empty where the answer had none.
 */
export function classify(answer: { readonly code: string; readonly status: number }): ErrorClass {
  const code = canonical(answer.code);
  return table.get(code) ?? byStatus(answer.status, code.startsWith('DCS.'));
}

function byStatus(status: number, fromDcs: boolean): ErrorClass {
  if (status === 401) return 'auth';
  if (status === 409) return 'busy';
  if (status === 429) return 'throttled';
  // A request that was not read in time may have been read nevertheless.
  if (status === 408 || status < 300 || status >= 500) return 'unknown';
  // Only DCS itself can speak of an instance; a gateway, proxy or wrong endpoint speaks of the call.
  if (fromDcs && (status === 400 || status === 404)) return 'final';
  return 'config';
}

/** The spelling of the table: `APIG.` as `APIGW.`, and a number such as 111400017 as its twin DCS.4017. */
function canonical(code: string): string {
  const text = code
    .trim()
    .toUpperCase()
    .replace(/^APIG\./, 'APIGW.');
  const [, status, number] = /^111([45]\d\d)(\d{3})$/.exec(text) ?? [];
  if (status === undefined || number === undefined) return text;
  return `DCS.${firstDigit(status, number)}${number}`;
}

function firstDigit(status: string, number: string): string {
  // 404 is the one status whose codes come from two ranges: DCS.4001 and 4023 beside DCS.3022.
  if (status === '404') return number === '022' ? '3' : '4';
  return { '401': '1', '403': '3', '400': '4' }[status] ?? '5';
}

function entries(prefix: string, groups: readonly Group[]): readonly (readonly [string, ErrorClass])[] {
  return groups.flatMap(([errorClass, numbers]) =>
    numbers.split(' ').map((number) => [`${prefix}.${number}`, errorClass] as const),
  );
}
