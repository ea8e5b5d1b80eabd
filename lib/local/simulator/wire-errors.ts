// The errors that DCS and its gateway send, with status and wire text, as the OTC DCS error code page
// (opentelekomcloud-docs/distributed-cache-service, api-ref appendix/error_codes.rst) and the API signing guide list
// them.

/** An error as it goes over the wire. */
export interface WireError {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** Value of a Retry-After header: seconds, or anything a faulty server may send. */
  readonly retryAfter?: number | string;
  /** Milliseconds until the caller may come again. */
  readonly wait?: number;
}

const table = {
  'DCS.1001': [401, 'Invalid token.'],
  'DCS.1002': [401, 'Token expired.'],
  'DCS.1003': [401, 'No token in the request.'],
  'DCS.1004': [401, 'Project ID does not match the token.'],
  'DCS.2003': [403, 'This role does not have the permission to perform this operation.'],
  'DCS.2007': [403, 'Policy does not allow {} to be performed.'],
  'DCS.3002': [403, 'This tenant has read permission only and cannot perform this operation.'],
  'DCS.3003': [403, 'This role does not have the permission to perform this operation.'],
  'DCS.3022': [404, 'This DCS instance does not exist.'],
  'DCS.4001': [404, 'The requested URL does not exist.'],
  'DCS.4002': [400, 'Invalid project ID format.'],
  'DCS.4004': [400, 'Empty request body.'],
  'DCS.4005': [400, 'The message body contains invalid characters or is not in JSON format.'],
  'DCS.4008': [400, 'The selected cache engine version is not supported.'],
  'DCS.4012': [400, 'Invalid capacity parameter in the request.'],
  'DCS.4017': [400, 'This DCS instance job task is still running.'],
  'DCS.4025': [400, 'The end time must be after the start time.'],
  'DCS.4026': [400, 'This operation is not allowed when the DCS instance is in the current state.'],
  'DCS.4027': [400, 'This operation is not supported on this node.'],
  'DCS.4049': [400, 'The instance status is not running.'],
  'DCS.4061': [400, 'Invalid instance ID format.'],
  'DCS.4062': [400, 'Invalid {0} parameter in the request.'],
  'DCS.4063': [400, 'Invalid {0} parameter in the request.'],
  'DCS.4064': [400, 'The action parameter in the request must be start, stop, or restart.'],
  'DCS.4065': [400, 'The instances parameter in the request cannot be a null value or left unspecified.'],
  'DCS.4069': [500, 'Another user is modifying configuration parameters of the DCS instance. Please try again later.'],
  'DCS.4070': [400, 'Invalid task ID format.'],
  'DCS.4086': [400, 'only master standby instance is support this action'],
  'DCS.4095': [400, 'the system is not support backup and restore.'],
  'DCS.4096': [400, 'the instance is backuping.'],
  'DCS.4097': [400, 'the instance is restoring.'],
  'DCS.4098': [400, 'The value of the remark parameter must be 0 to 128 characters in length.'],
  'DCS.4100': [400, 'The number of instance IDs in an instances array cannot exceed 50.'],
  'DCS.4104': [
    400,
    'The DCS instance is recovering from an internal fault. Please try again later or contact customer service.',
  ],
  'DCS.4107': [400, 'The instance exists for unpaid scale up orders. Please process non payment orders first.'],
  'DCS.4108': [400, 'The Instance exists for processing scale up order. Please try again later.'],
  'DCS.4111': [400, 'the instance is restarting.'],
  'DCS.4113': [400, 'the instance is extending.'],
  'DCS.4114': [400, 'the instance is configuring.'],
  'DCS.4115': [400, 'the instance is changing the password.'],
  'DCS.4116': [400, 'the instance is upgrading.'],
  'DCS.4117': [400, 'the instance is rollbacking the version.'],
  'DCS.4118': [400, 'the instance is creating.'],
  'DCS.4120': [400, 'the instance is Freezing.'],
  // Known from the Terraform provider alone, which labels them so; their texts are not documented.
  'DCS.4121': [400, 'the instance is resetting the password.'],
  'DCS.4231': [400, 'the offline key analysis of the instance is running.'],
  'DCS.4975': [400, 'the instance is creating or restarting.'],
  'CBC.99003651': [400, 'another operation is in progress.'],
  'DCS.4800': [400, 'Invalid {0} in the request.'],
  'DCS.5000': [500, 'Internal service error.'],
  'DCS.5001': [405, 'This request method is not allowed.'],
  'DCS.5006': [500, 'Submit job failed.'],
  'DCS.5017': [500, 'Failed to save instance information.'],
  'DCS.5024': [500, 'Query instance failed.'],
  'DCS.5070': [500, 'Internal service error.'],
  'DCS.5095': [500, 'The script execution failed and needs to be retried.'],
  'APIGW.0101': [404, 'The API does not exist or has not been published in the environment'],
  'APIGW.0201': [413, 'Request entity too large'],
  'APIGW.0202': [502, 'Backend unavailable'],
  'APIGW.0203': [504, 'Backend timeout'],
  'APIGW.0301': [401, 'Incorrect IAM authentication information'],
  'APIGW.0302': [403, 'The IAM user is not allowed to access the API'],
  'APIGW.0307': [401, 'The token must be updated'],
  'APIGW.0308': [429, 'The throttling threshold has been reached: policy user over ratelimit,limit:10,time:1 second'],
  'APIGW.0310': [403, 'The project is unavailable'],
  'APIGW.0601': [500, 'Internal server error'],
  'APIGW.0613': [503, 'IAM unavailable'],
  'APIGW.0802': [403, 'The IAM user is forbidden in the currently selected region'],
  'IAM.0001': [401, 'Authentication failed.'],
  'IAM.0002': [403, 'You are not authorized to perform the requested action.'],
  'IAM.0003': [403, 'Policy does not allow the requested action to be performed.'],
  'IAM.0004': [404, 'Could not find {0}.'],
  'IAM.0005': [409, 'Conflict occurred when attempting to store the resource.'],
  'IAM.0006': [500, 'An unexpected error prevented the server from fulfilling your request.'],
  'IAM.0011': [400, 'Request body is invalid.'],
  'IAM.0012': [429, 'The throttling threshold has been reached. Threshold: 10 times per 1 seconds'],
  'IAM.0020': [410, 'Original auth failover to other regions, please auth downgrade'],
  'IAM.0061': [401, 'Account locked.'],
  'IAM.0062': [401, 'Incorrect password.'],
  'IAM.0063': [401, 'Invalid token.'],
  'IAM.0066': [401, 'Token expired.'],
  'IAM.0067': [401, 'Invalid token.'],
  'IAM.0080': [403, 'The user to which the access key belongs has been disabled.'],
  'IAM.0081': [403, 'The user may only use the console.'],
  'IAM.0082': [403, 'The user has been disabled.'],
  'IAM.0083': [403, 'The user may not access the private region.'],
} as const satisfies Record<string, readonly [number, string]>;

/** A code that the simulator can send. */
export type WireCode = keyof typeof table;

/** The error with this code; `detail` follows the gateway's text after a colon, or fills the `{0}` of a DCS text. */
export function wireError(code: WireCode, detail?: string): WireError {
  const [status, text] = table[code];
  if (detail === undefined) return { status, code, message: text };
  const message = text.includes('{0}') ? text.replace('{0}', detail) : `${text}: ${detail}`;
  return { status, code, message };
}

/**
 * The numeric twin of a DCS code: 111400111 for DCS.4111, 111404022 for DCS.3022. Other codes have none. Source: the OTC
 * table, which lists both; the middle is the status that the code has there (whatever the answer has), but for the few
 * DCS.4xxx that come with 500.
 */
export function numericCode({ code, status }: Pick<WireError, 'code' | 'status'>): string {
  const [, family, rest] = /^DCS\.([13-5])(\d{3})$/.exec(code) ?? [];
  if (family === undefined || rest === undefined) return code;
  const listed = knownError(code)?.status ?? status;
  return `111${family === '4' && listed >= 500 ? 400 : listed}${rest}`;
}

/** The error with this code, where it is one that the simulator knows. */
export function knownError(code: string): WireError | undefined {
  const found = Object.entries(table).find(([known]) => known === code);
  return found === undefined ? undefined : { status: found[1][0], code, message: found[1][1] };
}

const usual: Readonly<Record<number, WireCode>> = {
  401: 'APIGW.0301',
  403: 'DCS.2003',
  404: 'APIGW.0101',
  413: 'APIGW.0201',
  429: 'APIGW.0308',
  502: 'APIGW.0202',
  503: 'APIGW.0613',
  504: 'APIGW.0203',
};

/** The error that usually comes with a status: the gateway's, or DCS.4026 and DCS.5000 for the other 4xx and 5xx. */
export function usualError(status: number): WireError {
  return { ...wireError(usual[status] ?? (status < 500 ? 'DCS.4026' : 'DCS.5000')), status };
}
