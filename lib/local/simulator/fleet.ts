// The simulated world: a project's instances, the faults that were scripted for it, and a count of everything that was
// really done, so that a test can prove that nothing happened twice. Its clock and its chance come from outside.

import type { Action } from '../../config.ts';
import { chance, hexId } from './chance.ts';
import {
  accept,
  type InstanceSpec,
  type InstanceState,
  type InstanceView,
  newInstance,
  settledAt,
  type Timing,
  usualTiming,
  viewAt,
} from './instance.ts';
import { type ActRequest, readAct, refusalOf, type Switches, usualSwitches } from './judge.ts';
import { type ListQuery, type Page, select } from './listing.ts';
import { type BatchResult, type Reply, type Result, replyWith } from './reply.ts';
import { FaultBook, type InstanceScript, type Route, type Script, type SendFault } from './script.ts';
import { type WireError, wireError } from './wire-errors.ts';

/** What a fleet is made of. The same options and the same calls at the same times give the same world. */
export interface FleetOptions {
  readonly instances: readonly InstanceSpec[];
  /** Milliseconds since the epoch; never goes back. */
  readonly now: () => number;
  /** Default 1. */
  readonly seed?: number;
  readonly timing?: Partial<Timing>;
  readonly switches?: Partial<Switches>;
  readonly script?: Script;
}

/** One action that took hold of one instance. Times in milliseconds since the epoch. */
export interface Application {
  readonly at: number;
  readonly endsAt: number;
  readonly action: Action;
  readonly instanceId: string;
  readonly requestId: string;
}

/** How often an instance was named in calls that reached the service, and of those, how often it got its own entry. */
interface Sends {
  readonly sent: number;
  readonly answered: number;
}

const none: Sends = { sent: 0, answered: 0 };

/** A project's instances behind the calls of the DCS API. */
export class Fleet {
  readonly switches: Switches;
  readonly #now: () => number;
  readonly #start: number;
  readonly #seed: number;
  readonly #timing: Timing;
  readonly #faults: FaultBook;
  readonly #instances = new Map<string, InstanceState>();
  readonly #scripts = new Map<string, InstanceScript>();
  readonly #sends = new Map<string, Sends>();
  readonly #log: Application[] = [];
  readonly #calls: Record<Route, number> = { act: 0, list: 0, counters: 0, show: 0, statistic: 0, configs: 0 };
  #fail: Script['fail'];
  #requests = 0;

  constructor(options: FleetOptions) {
    this.switches = { ...usualSwitches, ...options.switches };
    this.#now = options.now;
    this.#start = options.now();
    this.#seed = options.seed ?? 1;
    this.#timing = { ...usualTiming, ...options.timing };
    this.#faults = new FaultBook(this.#seed);
    for (const spec of options.instances) this.#instances.set(spec.id, newInstance(spec));
    this.script(options.script ?? {});
  }

  /** Adds faults to those that are there; `fail` and what is said of an instance replace what was said before. */
  script(script: Script): void {
    this.#faults.add(script.calls ?? []);
    if (script.fail !== undefined) this.#fail = script.fail;
    for (const [id, instance] of Object.entries(script.instances ?? {})) this.#scriptInstance(id, instance);
  }

  /** Ends the faults of whole calls. */
  calm(): void {
    this.#faults.clear();
  }

  /** Changes an instance from outside, as its owner or an accident would; a new status ends what was going on. */
  set(id: string, change: Partial<Omit<InstanceSpec, 'id'>>): void {
    const settled = settledAt(this.#get(id), this.#now());
    const work = change.status === undefined ? settled.work : null;
    this.#instances.set(id, { ...settled, ...change, work });
  }

  /** How often each action took hold of the instance. Throws RangeError where there is no such instance. */
  applied(id: string): Readonly<Record<Action, number>> {
    return this.#get(id).applied;
  }

  /** How often the instance was named in status calls that reached the service. */
  sent(id: string): number {
    return this.#sends.get(id)?.sent ?? 0;
  }

  /** Calls by route, those that were answered by a fault included. */
  calls(): Readonly<Record<Route, number>> {
    return { ...this.#calls };
  }

  /** Everything that took hold, in order. */
  log(): readonly Application[] {
    return [...this.#log];
  }

  /** The instance now, without a call. Throws RangeError where there is no such instance. */
  view(id: string): InstanceView {
    return viewAt(this.#get(id), this.#now());
  }

  /** All instances now, without a call, deleted ones included. */
  views(): readonly InstanceView[] {
    const at = this.#now();
    return [...this.#instances.values()].map((state) => viewAt(state, at));
  }

  /** PUT instances/status, with the members of its body. */
  act(members: { readonly action?: unknown; readonly instances?: unknown }): Reply<readonly BatchResult[]> {
    const request = readAct(members);
    if ('code' in request) return this.refuse('act', request);
    return this.#call('act', request.ids, (requestId) => this.#act(request, requestId));
  }

  /** A call that is refused for its form, counted and subject to faults like any other. */
  refuse(route: Route, error: WireError): Reply<never> {
    return this.#call(route, [], () => ({ kind: 'error', error }));
  }

  /** GET instances. */
  list(query: ListQuery): Reply<Page> {
    return this.#call('list', [], () => ({ kind: 'ok', value: select(this.views(), query) }));
  }

  /** GET instances/status: all that exist, for counting by state. */
  counters(): Reply<readonly InstanceView[]> {
    return this.#call('counters', [], () => ({ kind: 'ok', value: this.views().filter(exists) }));
  }

  /** GET instances/{id}. */
  show(id: string): Reply<InstanceView> {
    return this.#call('show', [id], () => this.#existing(id));
  }

  /** GET instances/{id}/configs. */
  configs(id: string): Reply<InstanceView> {
    return this.#call('configs', [id], () => this.#existing(id));
  }

  /** GET instances/statistic: the running ones. */
  statistic(): Reply<readonly InstanceView[]> {
    return this.#call('statistic', [], () => ({ kind: 'ok', value: this.views().filter(isRunning) }));
  }

  #call<T>(route: Route, ids: readonly string[], proper: (requestId: string) => Result<T>): Reply<T> {
    this.#calls[route] += 1;
    this.#requests += 1;
    const requestId = hexId(this.#seed, 'request', this.#requests);
    const fault = this.#faults.next({ route, ids, at: this.#now() - this.#start });
    return replyWith(requestId, fault, () => proper(requestId));
  }

  #act({ action, ids }: ActRequest, requestId: string): Result<readonly BatchResult[]> {
    for (const id of ids) this.#countSend(id);
    const verdicts = ids.map((id) => ({ id, refusal: refusalOf(this.#look(id), action, ids.length, this.switches) }));
    const whole = verdicts.findIndex(({ refusal }) => refusal?.whole === true);
    const error = verdicts[whole]?.refusal?.error;
    if (error === undefined) {
      const entries = verdicts.flatMap(({ id, refusal }) => this.#entry(id, refusal === null, action, requestId));
      return { kind: 'ok', value: entries };
    }
    const before = this.switches.appliesBeforeRefusal ? verdicts.slice(0, whole) : [];
    for (const { id, refusal } of before) if (refusal === null) this.#apply(id, action, requestId);
    return { kind: 'error', error };
  }

  #entry(id: string, allowed: boolean, action: Action, requestId: string): readonly BatchResult[] {
    const fault = this.#nextSend(id);
    const told = fault === 'ok' || fault === 'failed';
    const taken = allowed && (fault === 'ok' || fault === 'omitted');
    if (taken) this.#apply(id, action, requestId);
    return told ? [{ instance: id, result: taken ? 'success' : 'failed' }] : [];
  }

  #apply(id: string, action: Action, requestId: string): void {
    const at = this.#now();
    const state = this.#get(id);
    const restarts = state.applied.restart + state.applied.soft_restart;
    const endsAs = action === 'flush' ? 'RUNNING' : (this.#scripts.get(id)?.restartsEnd?.[restarts] ?? 'RUNNING');
    const next = accept(state, action, at, { timing: this.#timing, seed: this.#seed, endsAs });
    this.#instances.set(id, next);
    this.#log.push({ at, endsAt: next.work?.endsAt ?? at, action, instanceId: id, requestId });
  }

  #countSend(id: string): void {
    const sends = this.#sends.get(id) ?? none;
    this.#sends.set(id, { ...sends, sent: sends.sent + 1 });
    const busy = this.#scripts.get(id)?.busyFromFirstSend;
    if (busy !== undefined && sends.sent === 0) this.#addPeriod(id, { ...busy, from: this.#now() - this.#start });
  }

  #nextSend(id: string): SendFault {
    const sends = this.#sends.get(id) ?? none;
    this.#sends.set(id, { ...sends, answered: sends.answered + 1 });
    const scripted = this.#scripts.get(id)?.sends?.[sends.answered];
    if (scripted !== undefined || this.#fail === undefined) return scripted ?? 'ok';
    const drawn = chance(this.#seed, 'fail', id) < this.#fail.share;
    return drawn && sends.answered < this.#fail.sends ? 'failed' : 'ok';
  }

  #scriptInstance(id: string, script: InstanceScript): void {
    this.#get(id);
    this.#scripts.set(id, script);
    for (const period of script.periods ?? []) this.#addPeriod(id, period);
  }

  #addPeriod(id: string, period: NonNullable<InstanceScript['periods']>[number]): void {
    const state = this.#get(id);
    const from = this.#start + period.from;
    const { from: _, for: length, ...shows } = period;
    this.#instances.set(id, { ...state, periods: [...state.periods, { ...shows, from, until: from + length }] });
  }

  #existing(id: string): Result<InstanceView> {
    const view = this.#look(id);
    if (view === undefined || !exists(view)) return { kind: 'error', error: wireError('DCS.3022') };
    return { kind: 'ok', value: view };
  }

  #look(id: string): InstanceView | undefined {
    const state = this.#instances.get(id);
    return state === undefined ? undefined : viewAt(state, this.#now());
  }

  #get(id: string): InstanceState {
    const state = this.#instances.get(id);
    if (state === undefined) throw new RangeError(`no instance ${id} in this fleet`);
    return state;
  }
}

function exists({ status }: InstanceView): boolean {
  return status !== 'DELETED';
}

function isRunning({ status }: InstanceView): boolean {
  return status === 'RUNNING';
}
