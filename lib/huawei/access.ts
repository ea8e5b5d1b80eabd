// The access to one project: what its secret was turned into is kept until shortly before it ends, is asked for once more
// when a service refused it, and what IAM refused is not asked for again until the secret is another one or time has passed.
// An account is locked after a few wrong passwords, a key after five wrong signatures.

import type { AccessKey, Login } from '../credentials.ts';
import { AutopilotError } from '../errors.ts';
import type { Access, Grant } from './grant.ts';
import { type Failed, failed, isFailed } from './http.ts';
import { Iam, type IamOptions, type Obtained } from './iam.ts';

/** What the access to one project needs of the world. */
export interface ProjectAccessOptions extends IamOptions {
  /** The project's secret; `fresh` bypasses any cache. What it throws becomes a problem: nothing is sent then. */
  readonly credentials: (fresh: boolean) => Promise<AccessKey | Login>;
}

/** A grant in use. The times are milliseconds since the epoch. */
interface Held {
  readonly secret: AccessKey | Login;
  readonly grant: Grant;
  readonly since: number;
  readonly renewAt: number;
  readonly endsAt: number;
}

/** Why there is no grant for a secret, since when, and until when nobody is asked again. */
interface Refusal {
  readonly secret: AccessKey | Login;
  readonly why: Failed;
  readonly since: number;
  readonly until: number;
}

const minute = 60_000;
/** Before a token or temporary key ends, another one is asked for: a tenth of its life before, half an hour at most. */
const margin = (life: number): number => Math.min(30 * minute, life / 10);

/** The access by what is in the project's secret. */
export class ProjectAccess implements Access {
  readonly #options: ProjectAccessOptions;
  readonly #iam: Iam;
  #held: Held | undefined;
  #refusal: Refusal | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: ProjectAccessOptions) {
    this.#options = options;
    this.#iam = new Iam(options);
  }

  /** One after the other: of many calls that were refused together the first renews, and the others find what it got. */
  grant(refused?: Grant): Promise<Grant | Failed> {
    const next = this.#last.then(() => this.#grant(refused));
    this.#last = next.catch(() => undefined);
    return next;
  }

  async #grant(refused: Grant | undefined): Promise<Grant | Failed> {
    if (refused !== undefined && this.#held !== undefined && this.#held.grant !== refused) return this.#held.grant;
    const secret = await this.#read(refused !== undefined);
    if (isFailed(secret)) return refused ?? secret;
    const held = this.#heldFor(secret);
    if (held !== undefined && this.#isGood(held, refused)) return held.grant;
    const renewed = await this.#renew(secret, held, refused !== undefined);
    // Whoever could not renew before its time goes on with what still holds.
    const mayGoOn = held !== undefined && refused === undefined && this.#options.now() < held.endsAt;
    return isFailed(renewed) && mayGoOn ? held.grant : renewed;
  }

  #heldFor(secret: AccessKey | Login): Held | undefined {
    return this.#held !== undefined && isSame(this.#held.secret, secret) ? this.#held : undefined;
  }

  /** What was refused within a minute of its birth, or is the secret itself, would be no better the next time. */
  #isGood(held: Held, refused: Grant | undefined): boolean {
    const now = this.#options.now();
    if (refused === undefined) return now < held.renewAt;
    return held.endsAt === Number.POSITIVE_INFINITY || isBetween(now, held.since, held.since + minute);
  }

  async #renew(secret: AccessKey | Login, held: Held | undefined, isFresh: boolean): Promise<Grant | Failed> {
    const obtained = await this.#obtain(secret, held);
    if (!isFailed(obtained)) return obtained;
    if (isFresh || obtained.problem.class !== 'auth') return obtained;
    const other = await this.#read(true);
    return isFailed(other) || isSame(other, secret) ? obtained : this.#obtain(other, undefined);
  }

  async #obtain(secret: AccessKey | Login, held: Held | undefined): Promise<Grant | Failed> {
    const { now } = this.#options;
    const refusal = this.#refusal;
    const asked = now();
    const isStanding = refusal !== undefined && isBetween(asked, refusal.since, refusal.until);
    if (isStanding && isSame(refusal.secret, secret)) return refusal.why;
    const obtained = await this.#iam.obtain(secret, held?.grant.projectId);
    if (isFailed(obtained)) {
      const since = now();
      this.#refusal = { secret, why: obtained, since, until: since + pauseAfter(obtained) };
      return obtained;
    }
    this.#refusal = undefined;
    this.#held = { secret, grant: obtained.grant, since: asked, ...timesOf(obtained, asked) };
    return obtained.grant;
  }

  async #read(fresh: boolean): Promise<AccessKey | Login | Failed> {
    try {
      return await this.#options.credentials(fresh);
    } catch (error) {
      // Ours name what is missing and never a value; nobody knows what another error's text may hold.
      if (error instanceof AutopilotError) return failed('config', error.code, error.message);
      return failed('unreachable', 'credentials_unavailable', 'The credentials could not be read.');
    }
  }
}

function timesOf({ life }: Obtained, asked: number): Pick<Held, 'renewAt' | 'endsAt'> {
  if (life === null) return { renewAt: Number.POSITIVE_INFINITY, endsAt: Number.POSITIVE_INFINITY };
  return { renewAt: asked + life - margin(life), endsAt: asked + life };
}

/**
 * Milliseconds. A wrong password is asked for once in ten minutes, a key by the gate's own measure; what passes by itself
 * waits as long as it is told to, but an hour at most.
 */
function pauseAfter({ problem }: Failed): number {
  if (problem.class === 'auth' && problem.code !== 'credentials_rejected') return 10 * minute;
  return Math.min(60 * minute, Math.max(5000, (problem.retryAfter ?? 0) * 1000));
}

/** Never before `since`: a clock that was put back would make minutes last for days. */
function isBetween(now: number, since: number, until: number): boolean {
  return since <= now && now < until;
}

function isSame(a: AccessKey | Login, b: AccessKey | Login): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
