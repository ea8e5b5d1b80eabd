// The gate that every signed call of a project passes, so that a wrong key is never locked by us: the first call with a key
// goes out alone, over all processes, and the others wait for what comes of it. What is known of a key stands in the state
// under a fingerprint of it. Where the state does not answer, a process still sends its first call alone.

import * as v from 'valibot';
import {
  adviceOn,
  afterTry,
  fingerprintOf,
  isClockWrong,
  refusedTrial,
  type Trial,
  trialSchema,
  type Verdict,
} from '../key-trial.ts';
import { asJson } from '../record.ts';
import { day } from '../retention.ts';
import type { Log } from '../runtime.ts';
import type { Item, Key, State } from '../state.ts';
import type { Grant } from './grant.ts';
import type { Exchange, Failed } from './http.ts';
import type { Sleep } from './pace.ts';

/** Where the gates of a project meet. */
export interface KeyGateOptions {
  readonly state: State;
  /** The partition of the project. */
  readonly pk: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly sleep: Sleep;
  readonly log: Pick<Log, 'warn'>;
}

/** One call: how it is sent, and what its answer says of the key. */
export interface SignedCall {
  readonly send: () => Promise<Exchange>;
  readonly verdictOf: (exchange: Exchange) => Verdict;
}

/** Ms between two looks at a key that another process is trying. */
const glance = 1000;

/** Lets the signed calls of one process through. */
export class KeyGate {
  readonly #options: KeyGateOptions;
  /** Fingerprint of the key that was accepted last. */
  #good = '';
  /** The call that is out alone; resolves to what all who wait for it with the same key are told, null: to look again. */
  #alone: { readonly print: string; readonly told: Promise<Failed | null> } | null = null;
  /** When this machine's clock was found wrong, by itself, and what calls were told. */
  #skew: { readonly at: number; readonly told: Failed } | null = null;

  constructor(options: KeyGateOptions) {
    this.#options = options;
  }

  /** Sends, or answers that the key was rejected, or that the clock is wrong, without sending. */
  async pass(grant: Pick<Grant, 'secrets'>, call: SignedCall): Promise<Exchange> {
    const { pk, now } = this.#options;
    const print = fingerprintOf(pk, grant.secrets);
    if (this.#skew !== null && isClockWrong(this.#skew.at, now())) return this.#skew.told;
    while (this.#good !== print) {
      if (this.#alone === null) return this.#sendAlone(print, call);
      const { print: tried, told: telling } = this.#alone;
      const told = await telling;
      if (told !== null && tried === print) return told;
    }
    const exchange = await call.send();
    const verdict = this.#noteClock(call.verdictOf(exchange));
    if (isRefusal(verdict)) {
      this.#good = '';
      await this.#write(print, refusedTrial(verdict.problem, now()));
    }
    return exchange;
  }

  async #sendAlone(print: string, call: SignedCall): Promise<Exchange> {
    const { promise, resolve } = Promise.withResolvers<Failed | null>();
    this.#alone = { print, told: promise };
    let told: Failed | null = null;
    try {
      const claimed = await this.#claim(print);
      if ('kind' in claimed) {
        told = claimed;
        return claimed;
      }
      const exchange = await call.send();
      told = await this.#conclude(print, claimed, this.#noteClock(call.verdictOf(exchange)));
      return exchange;
    } finally {
      this.#alone = null;
      resolve(told);
    }
  }

  #noteClock(verdict: Verdict): Verdict {
    if (typeof verdict !== 'string' && verdict.status === 'skewed') {
      this.#skew = { at: this.#options.now(), told: { kind: 'failed', problem: verdict.problem } };
    }
    return verdict;
  }

  /** What the call may go out with, once it may; or why it may not. */
  async #claim(print: string): Promise<{ readonly trial: Trial | null } | Failed> {
    const { state, now, sleep, log, pk } = this.#options;
    try {
      for (;;) {
        const item = await state.get(keyOf(pk, print));
        const advice = adviceOn(item === undefined ? undefined : v.parse(trialSchema, item.value), now());
        if (advice.kind === 'go') return { trial: null };
        if (advice.kind === 'stop') return { kind: 'failed', problem: advice.problem };
        if (advice.kind === 'wait') await sleep(glance);
        else if (await this.#replace(print, item, advice.trial)) return { trial: advice.trial };
      }
    } catch (error) {
      log.warn('what is known of an access key cannot be read', { project: pk, error });
      return { trial: null };
    }
  }

  /** Notes what came of it, and says what those who wait are told. */
  async #conclude(
    print: string,
    { trial }: { readonly trial: Trial | null },
    verdict: Verdict,
  ): Promise<Failed | null> {
    const now = this.#options.now();
    if (verdict === 'good') this.#good = print;
    if (trial !== null) await this.#write(print, afterTry(trial, verdict, now));
    else if (isRefusal(verdict)) await this.#write(print, refusedTrial(verdict.problem, now));
    if (typeof verdict === 'string') return null;
    return { kind: 'failed', problem: verdict.problem };
  }

  #replace(print: string, item: Item | undefined, trial: Trial): Promise<boolean> {
    const { state, pk } = this.#options;
    const options = { expiresAt: trial.nextAt + day };
    return item === undefined
      ? state.putIfAbsent(keyOf(pk, print), asJson(trial), options)
      : state.updateIf(keyOf(pk, print), item.version, asJson(trial), options);
  }

  /** The latest answer counts, whoever got it. */
  async #write(print: string, trial: Trial): Promise<void> {
    const { state, pk, log } = this.#options;
    try {
      await state.put(keyOf(pk, print), asJson(trial), { expiresAt: trial.nextAt + day });
    } catch (error) {
      log.warn('what is known of an access key cannot be written', { project: pk, error });
    }
  }
}

function isRefusal(verdict: Verdict): verdict is Exclude<Verdict, string> & { readonly status: 'refused' } {
  return typeof verdict !== 'string' && verdict.status === 'refused';
}

function keyOf(pk: string, print: string): Key {
  return { pk, sk: `credentials#${print}` };
}
