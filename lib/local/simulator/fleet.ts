// A simulated project behind the calls of the DCS API: each call is counted and may meet a scripted fault before or
// after it reaches the world of instances. Everything that was really done can be asked, so that a test can prove that
// nothing happened twice. Clock and chance come from outside.

import type { Action } from '../../config.ts';
import { type BackupPage, listBackups, startBackup } from './backup-calls.ts';
import { hexId } from './chance.ts';
import { type Due, FaultBook } from './fault-book.ts';
import { type InstanceSpec, type InstanceView, toldKeys } from './instance.ts';
import { type ActMembers, readAct } from './judge.ts';
import { type ListQuery, type Page, select, type TimeSpan } from './listing.ts';
import { type BatchResult, type Reply, type Result, replyWith } from './reply.ts';
import { noCalls, type Route, type Script } from './script.ts';
import { type StatusCall, statusCall } from './status-call.ts';
import { Limits, type RateLimit } from './throttle.ts';
import { type Timing, usualTiming } from './timing.ts';
import { type Switches, usualSwitches } from './unknowns.ts';
import type { WireError } from './wire-errors.ts';
import { asSent } from './wording.ts';
import { type Application, World } from './world.ts';

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
  /** DCS calls that the project may make; default: any number. */
  readonly rate?: RateLimit;
  /** The same for calls to IAM. */
  readonly iamRate?: RateLimit;
}

/** A project's instances behind the calls of the DCS API. */
export class Fleet {
  readonly switches: Switches;
  readonly #now: () => number;
  readonly #seed: number;
  readonly #faults: FaultBook;
  /** The instances behind the calls. */
  readonly world: World;
  readonly #limits: Limits;
  readonly #statusCalls: StatusCall[] = [];
  readonly #calls: Record<Route, number> = { ...noCalls };
  #requests = 0;

  constructor({ instances, now, seed = 1, timing, switches, script, rate, iamRate }: FleetOptions) {
    this.switches = { ...usualSwitches, ...switches };
    this.#now = now;
    this.#seed = seed;
    this.#faults = new FaultBook(seed);
    this.#limits = new Limits(rate, iamRate);
    this.world = new World({ instances, now, seed, timing: { ...usualTiming, ...timing }, switches: this.switches });
    this.script(script ?? {});
  }

  /**
   * Adds faults to those that are there; `fail`, and what is said of an instance, replaces what was said before.
   * Throws RangeError where it names an instance that is not there.
   */
  script(script: Script): void {
    this.world.script(script);
    this.#faults.add(script.calls ?? []);
  }

  /** Ends the faults of whole calls. */
  calm(): void {
    this.#faults.clear();
  }

  /** Changes an instance from outside, as its owner or an accident would; a new status ends what was going on. */
  set(id: string, change: Partial<Omit<InstanceSpec, 'id'>>): void {
    this.world.set(id, change);
  }

  /** How often each action took hold of the instance. Throws RangeError where there is no such instance. */
  applied(id: string): Readonly<Record<Action, number>> {
    return this.world.state(id).applied;
  }

  /** How often the instance was named in status calls that reached the service. */
  sent(id: string): number {
    return this.world.sent(id);
  }

  /** Calls by route, those that were answered by a fault included. */
  calls(): Readonly<Record<Route, number>> {
    return { ...this.#calls };
  }

  /** Everything that took hold, in order. */
  log(): readonly Application[] {
    return this.world.log();
  }

  /** The status calls that came, in order. */
  statusCalls(): readonly StatusCall[] {
    return [...this.#statusCalls];
  }

  /** The instance now, without a call; undefined where there is no such instance. */
  view(id: string): InstanceView | undefined {
    return this.world.look(id);
  }

  /** All instances now, without a call, deleted ones included. */
  views(): readonly InstanceView[] {
    return this.world.views();
  }

  /** PUT instances/status, with the members of its body. */
  act(members: ActMembers): Reply<readonly BatchResult[]> {
    const existing = (): readonly string[] => this.views().flatMap((view) => (exists(view) ? [view.id] : []));
    const request = readAct(members, this.switches, existing);
    const reply =
      'code' in request
        ? this.refuse('act', request)
        : this.call('act', request.ids, (requestId, due) => this.world.act(request, requestId, due.entryOf));
    this.#statusCalls.push(statusCall(this.#now(), members, reply));
    return reply;
  }

  /** A call that is refused for its form, counted and subject to faults like any other. */
  refuse(route: Route, error: WireError): Reply<never> {
    return this.call(route, [], () => ({ kind: 'error', error }));
  }

  /** GET instances. */
  list(query: ListQuery): Reply<Page> {
    return this.call('list', [], () => {
      const page = select(this.views(), query);
      const counted = this.switches.instanceNum === 'page' ? { ...page, total: page.items.length } : page;
      return { kind: 'ok', value: counted };
    });
  }

  /** GET instances/status: all that exist, for counting by state. */
  counters(includeFailure = false): Reply<readonly InstanceView[]> {
    const isCounted = ({ status }: InstanceView) =>
      status !== 'DELETED' && (includeFailure || status !== 'CREATEFAILED');
    return this.call('counters', [], () => ({ kind: 'ok', value: this.views().filter(isCounted) }));
  }

  /** GET instances/{id}. */
  show(id: string): Reply<InstanceView> {
    return this.call('show', [id], () => this.#read(id));
  }

  /** GET instances/{id}/configs. */
  configs(id: string): Reply<InstanceView> {
    return this.call('configs', [id], () => this.#read(id));
  }

  /** GET instances/statistic: the running ones. */
  statistic(): Reply<readonly InstanceView[]> {
    const told = (view: InstanceView) => ({ ...view, keys: toldKeys(view, this.#now(), this.switches.keysLag) });
    return this.call('statistic', [], () => ({ kind: 'ok', value: this.views().filter(isRunning).map(told) }));
  }

  /** POST instances/{id}/backups, with the members of its body; answers the backup's id. */
  startBackup(id: string, members: unknown = {}): Reply<string> {
    return this.call('backup', [id], () => startBackup(this.world, id, members));
  }

  /** GET instances/{id}/backups. */
  backups(id: string, span: TimeSpan): Reply<BackupPage> {
    return this.call('backups', [id], () => listBackups(this.world, id, span));
  }

  /** An error in this service's words. */
  spell(error: WireError): WireError {
    return asSent(error, this.switches, this.#now());
  }

  /** Any call: counted, given a request id, and answered by the rate limit or by a fault where one is due. */
  call<T>(route: Route, ids: readonly string[], proper: (requestId: string, due: Due) => Result<T>): Reply<T> {
    this.#calls[route] += 1;
    this.#requests += 1;
    const requestId = hexId(this.#seed, 'request', this.#requests);
    const throttled = this.#limits.refusal(route, this.#now());
    if (throttled !== null) return this.#asSent({ kind: 'error', error: throttled, requestId, delay: 0 });
    const due = this.#faults.next({ route, ids, at: this.#now() - this.world.start });
    return this.#asSent(replyWith(requestId, due.answer, () => proper(requestId, due)));
  }

  #asSent<T>(reply: Reply<T>): Reply<T> {
    return reply.kind === 'error' ? { ...reply, error: this.spell(reply.error) } : reply;
  }

  #read(id: string): Result<InstanceView> {
    const found = this.world.existing(id);
    if (found.kind !== 'error') return found;
    return { kind: 'error', error: { ...found.error, status: Number(this.switches.missingOnShow) } };
  }
}

function exists({ status }: InstanceView): boolean {
  return status !== 'DELETED';
}

function isRunning({ status }: InstanceView): boolean {
  return status === 'RUNNING';
}
