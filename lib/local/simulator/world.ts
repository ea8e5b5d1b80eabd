// The instances of a fleet and what has been done to them: accepts or refuses an action for each, as scripted, and
// keeps the book of what took hold. It knows nothing of calls and their faults (fleet.ts) nor of HTTP (server.ts).

import type { Action } from '../../config.ts';
import { chance } from './chance.ts';
import type { Due } from './fault-book.ts';
import {
  accept,
  type InstanceSpec,
  type InstanceState,
  type InstanceView,
  type Period,
  settledAt,
  stoppedAt,
  viewAt,
  withoutBackup,
} from './instance.ts';
import { type ActRequest, type Refusal, refusalOf } from './judge.ts';
import { newInstance } from './new-instance.ts';
import type { BatchResult, Result } from './reply.ts';
import { asTold } from './results.ts';
import type { InstanceScript, Script, SendFault } from './script.ts';
import type { Timing } from './timing.ts';
import type { Switches } from './unknowns.ts';
import { wireError } from './wire-errors.ts';

/** What a world is made of. */
export interface WorldOptions {
  readonly instances: readonly InstanceSpec[];
  readonly now: () => number;
  readonly seed: number;
  readonly timing: Timing;
  readonly switches: Switches;
}

/** One action that took hold of one instance. Times in milliseconds since the epoch; from `startsAt` on it shows. */
export interface Application {
  readonly at: number;
  readonly startsAt: number;
  readonly endsAt: number;
  readonly lostData: boolean;
  readonly action: Action;
  readonly instanceId: string;
  readonly requestId: string;
}

/** How often an instance was named in calls that reached the service, and of those, how often it got its own entry. */
interface Sends {
  readonly sent: number;
  readonly answered: number;
}

interface Verdict {
  readonly id: string;
  readonly refusal: Refusal | null;
}

const none: Sends = { sent: 0, answered: 0 };

/** A project's instances. */
export class World {
  readonly start: number;
  readonly seed: number;
  readonly timing: Timing;
  readonly switches: Switches;
  readonly #now: () => number;
  readonly #instances = new Map<string, InstanceState>();
  readonly #scripts = new Map<string, InstanceScript>();
  readonly #backups = new Map<string, number>();
  readonly #sends = new Map<string, Sends>();
  readonly #log: Application[] = [];
  #fail: Script['fail'];

  constructor(options: WorldOptions) {
    this.#now = options.now;
    this.start = options.now();
    this.seed = options.seed;
    this.timing = options.timing;
    this.switches = options.switches;
    for (const spec of options.instances) this.#instances.set(spec.id, newInstance(spec));
  }

  /** What shall go wrong with instances. Throws RangeError for an id that is not there. */
  script({ fail, instances }: Script): void {
    if (fail !== undefined) this.#fail = fail;
    for (const [id, script] of Object.entries(instances ?? {})) {
      this.#scripts.set(this.state(id).id, script);
      for (const { from, for: length, ...shows } of script.periods ?? []) {
        this.#addPeriod(id, { ...shows, from: this.start + from, until: this.start + from + length });
      }
    }
  }

  /** Changes an instance from outside; a new status ends what was going on. */
  set(id: string, change: Partial<Omit<InstanceSpec, 'id'>>): void {
    const at = this.now();
    const state = this.state(id);
    const before = change.status === undefined ? settledAt(state, at) : withoutBackup(stoppedAt(state, at), at);
    // Backups go with their instance.
    const gone = change.status === 'DELETED' ? { backups: [] } : {};
    this.#instances.set(id, { ...before, ...gone, ...change });
  }

  /** Milliseconds since the epoch. */
  now(): number {
    return this.#now();
  }

  /** The instance as a call finds it that names it: the vendor's error where it does not exist, or was deleted. */
  existing(id: string): Result<InstanceView> {
    const view = this.look(id);
    return view === undefined || view.status === 'DELETED'
      ? { kind: 'error', error: wireError('DCS.3022') }
      : { kind: 'ok', value: view };
  }

  /** The instance with its past. Throws RangeError where there is no such instance. */
  state(id: string): InstanceState {
    const state = this.#instances.get(id);
    if (state === undefined) throw new RangeError(`no instance ${id} in this fleet`);
    return state;
  }

  /** The instance now, or undefined. */
  look(id: string): InstanceView | undefined {
    const state = this.#instances.get(id);
    return state === undefined ? undefined : viewAt(state, this.now());
  }

  /** All instances now, deleted ones included. */
  views(): readonly InstanceView[] {
    const at = this.now();
    return [...this.#instances.values()].map((state) => viewAt(state, at));
  }

  /** Everything that took hold, in order. */
  log(): readonly Application[] {
    return [...this.#log];
  }

  /** How often the instance was named in a call. */
  sent(id: string): number {
    return this.#sends.get(id)?.sent ?? 0;
  }

  /** Does the action to each instance, or refuses the whole call. */
  act(request: ActRequest, requestId: string, faultOf: Due['entryOf']): Result<readonly BatchResult[]> {
    const { action, ids, mentions } = request;
    for (const id of ids) this.#countSend(id);
    const { switches, seed } = this;
    const verdicts = ids.map((id) => ({ id, refusal: refusalOf(id, this.look(id), action, ids.length, switches) }));
    const whole = verdicts.findIndex(({ refusal }) => refusal?.whole === true);
    const error = verdicts[whole]?.refusal?.error;
    if (error === undefined) {
      const entries = verdicts.flatMap((verdict) => this.#entry(verdict, action, requestId, faultOf));
      return asTold(entries, mentions, switches, (id) => chance(seed, 'order', requestId, id));
    }
    const before = switches.appliesBeforeRefusal ? verdicts.slice(0, whole) : [];
    for (const { id, refusal } of before) if (refusal === null) this.#apply(id, action, requestId);
    return { kind: 'error', error };
  }

  #entry({ id, refusal }: Verdict, action: Action, requestId: string, faultOf: Due['entryOf']): readonly BatchResult[] {
    const scripted = this.#nextSend(id);
    const fault = scripted === 'ok' ? (faultOf(id) ?? 'ok') : scripted;
    const told = fault === 'ok' || fault === 'failed';
    const taken = refusal === null && (fault === 'ok' || fault === 'omitted');
    if (taken) this.#apply(id, action, requestId);
    return told ? [{ instance: id, result: taken ? 'success' : 'failed' }] : [];
  }

  #apply(id: string, action: Action, requestId: string): void {
    const { timing, seed, switches } = this;
    const at = this.now();
    const next = accept(this.state(id), action, at, { timing, seed, switches, endsAs: this.#endOf(id, action) });
    this.#instances.set(id, next);
    const { startsAt, endsAt, losesData: lostData } = next.work;
    this.#log.push({ at, startsAt, endsAt, lostData, action, instanceId: id, requestId });
  }

  /** Counts a backup of the instance that begins: the how-manieth it is, from 0, and how it ends, as scripted. */
  nextBackup(id: string): { readonly nth: number; readonly endsAs: 'succeed' | 'failed' } {
    const nth = this.#backups.get(id) ?? 0;
    this.#backups.set(id, nth + 1);
    return { nth, endsAs: this.#scripts.get(id)?.backupsEnd?.[nth] ?? 'succeed' };
  }

  #endOf(id: string, action: Action): string {
    if (action === 'flush') return 'RUNNING';
    const { applied } = this.state(id);
    return this.#scripts.get(id)?.restartsEnd?.[applied.restart + applied.soft_restart] ?? 'RUNNING';
  }

  #countSend(id: string): void {
    const sends = this.#sends.get(id) ?? none;
    this.#sends.set(id, { ...sends, sent: sends.sent + 1 });
    const busy = this.#scripts.get(id)?.busyFromFirstSend;
    if (busy === undefined || sends.sent > 0) return;
    const { for: length, ...shows } = busy;
    const from = this.now();
    this.#addPeriod(id, { ...shows, from, until: from + length });
  }

  #nextSend(id: string): SendFault {
    const sends = this.#sends.get(id) ?? none;
    this.#sends.set(id, { ...sends, answered: sends.answered + 1 });
    const scripted = this.#scripts.get(id)?.sends?.[sends.answered];
    if (scripted !== undefined || this.#fail === undefined) return scripted ?? 'ok';
    const drawn = chance(this.seed, 'fail', id) < this.#fail.share;
    return drawn && sends.answered < this.#fail.sends ? 'failed' : 'ok';
  }

  #addPeriod(id: string, period: Period): void {
    const state = this.state(id);
    this.#instances.set(id, { ...state, periods: [...state.periods, period] });
  }
}
