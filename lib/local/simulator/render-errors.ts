// Errors as the JSON that DCS, the older version of its API, the gateway and IAM send.

import { STATUS_CODES } from 'node:http';
import type { Json } from '../../canonical.ts';
import { numericCode, type WireError } from './wire-errors.ts';

type Members = Readonly<Record<string, Json>>;

/** The body of an error: the gateway names its request, DCS has an extra member that is always null. */
export function errorBody({ code, message }: WireError, requestId: string): Members {
  const members = { error_code: code, error_msg: message };
  if (code.startsWith('APIG')) return { ...members, request_id: requestId };
  return code.startsWith('IAM.') ? members : { ...members, error_ext_msg: null };
}

/** The body of an error of the API's older version, whose codes are numbers. */
export function oldErrorBody(error: WireError): Members {
  return { error: { code: numericCode(error), message: error.message } };
}

/** The body of an error of IAM as OpenStack has it. */
export function keystoneError({ status, message }: WireError): Members {
  return { error: { code: status, message, title: STATUS_CODES[status] ?? 'Error' } };
}
