// Who comes in through the console, and what they may do there. Operators are known by tokens, which are secrets: read
// late, and once more where none fits, since one may have been exchanged.

import { anyEqual, bearerToken, digest, notAuthentic, tokenDigest } from './authentic.ts';
import type { Operator, Right } from './config.ts';
import { DoorError, EnvironmentError } from './errors.ts';
import type { Headers } from './http.ts';
import type { Runtime } from './runtime.ts';

type Entry = Pick<Runtime, 'operators' | 'secrets' | 'log'>;

/**
 * The operator whose token a request carries, if they have the right. An operator whose secret cannot be read is locked
 * out, which is logged, and nobody else with them. Throws DoorError 401 `token_missing` or `token_invalid`, 403
 * `forbidden`, 503 `secrets_unavailable` where nobody fits and not every secret could be asked for.
 */
export async function admit(runtime: Entry, headers: Headers, right: Right): Promise<Operator> {
  const token = bearerToken(headers);
  if (token === undefined) throw notAuthentic('token_missing');
  const presented = digest(token);
  const operator = (await holderOf(runtime, presented, false)) ?? (await holderOf(runtime, presented, true));
  if (operator === undefined) throw notAuthentic('token_invalid');
  if (operator.may.includes(right)) return operator;
  throw withoutRight(operator, right);
}

/** The refusal of an operator who is known and not allowed. */
export function withoutRight({ name }: Operator, right: Right): DoorError {
  return new DoorError(403, 'forbidden', `The operator ${name} does not have the right ${right}.`);
}

/** Looks at every operator, so that the time it takes tells nothing about who it was. */
async function holderOf(runtime: Entry, presented: Buffer, fresh: boolean): Promise<Operator | undefined> {
  const digests = await Promise.all(runtime.operators.map((operator) => digestOf(runtime, operator, fresh)));
  const holders = runtime.operators.filter((_, index) => {
    const expected = digests[index];
    return Buffer.isBuffer(expected) && anyEqual([presented], [expected]);
  });
  if (holders.length > 0 || !fresh || !digests.includes('unavailable')) return holders[0];
  throw new DoorError(503, 'secrets_unavailable', 'Not every token can be checked now; send this again.');
}

async function digestOf(
  { secrets, log }: Entry,
  { name, token }: Operator,
  fresh: boolean,
): Promise<Buffer | 'missing' | 'unavailable'> {
  try {
    return tokenDigest({ ref: token, value: await secrets.get(token, { fresh }) });
  } catch (error) {
    if (!fresh) log.error('operator locked out', { operator: name, error });
    return error instanceof EnvironmentError ? 'missing' : 'unavailable';
  }
}
