// DCS over HTTP, for one project: paces and sends the calls of lib/huawei/dcs-calls.ts, in the name of whatever grant it
// gets. It repeats a call in one case only, with another grant after the first was refused; every other repetition is the
// caller's decision.

import type { Action, Project } from '../config.ts';
import type { BackupRecord } from '../execute/backup.ts';
import type { Answer, DcsApi, Reading } from '../execute.ts';
import type { InstanceDetail, ListedInstance } from '../plan/instance.ts';
import * as calls from './dcs-calls.ts';
import type { Access, Grant } from './grant.ts';
import { type Exchange, type Failed, isFailed, type Send, sender } from './http.ts';
import type { KeyGate } from './key-gate.ts';
import { Pace, type Sleep } from './pace.ts';
import { masker, problemOf, type ReadContext, verdictOf } from './problem.ts';
import { encodePath, encodeQuery } from './sign.ts';

/** What a client of one project needs of the world. */
export interface HuaweiDcsOptions {
  readonly project: Project;
  /** In whose name calls are made. */
  readonly access: Access;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly sleep: Sleep;
  /** The turns of all calls to the project; absent: this client is the only one. */
  readonly pace?: Pace;
  /** What keeps a wrong key from being locked; absent: nothing but that no refused call is repeated with it. */
  readonly gate?: KeyGate;
  /** Over the connections of the process, without a proxy, where absent. */
  readonly send?: Send;
  /** Gives up waiting and calling: what was not sent is `unreachable`, what was is `unknown`, both with code `aborted`. */
  readonly signal?: AbortSignal;
}

/** The adapter of the port. Never throws for anything that a service or network can do. */
export class HuaweiDcs implements DcsApi {
  readonly #options: HuaweiDcsOptions;
  readonly #pace: Pace;
  readonly #sender: Send;

  constructor(options: HuaweiDcsOptions) {
    const { project } = options;
    this.#options = options;
    this.#sender = options.send ?? sender({ timeout: project.timeout });
    this.#pace = options.pace ?? new Pace(options);
  }

  async list(tags: Readonly<Record<string, string>>): Promise<Reading<readonly ListedInstance[]>> {
    const found = new Map<string, ListedInstance>();
    for (let offset = 0; ; ) {
      const page = await this.#perform((projectId) => calls.listRequest(projectId, tags, offset), calls.readPage);
      if (!page.ok) return page;
      const known = found.size;
      // Instances that are created or deleted meanwhile move others between pages, so an id may come twice.
      for (const instance of page.value.instances) found.set(instance.id, instance);
      offset += page.value.instances.length;
      if (calls.isRepeatedPage(page.value, found.size, known)) return { ok: false, problem: calls.repeatedPage };
      if (calls.isLastPage(page.value, offset)) return { ok: true, value: [...found.values()] };
    }
  }

  async total(): Promise<Reading<number>> {
    const total = await this.#perform(calls.totalRequest, calls.readTotal);
    if (!total.ok || total.value !== 1) return total;
    // One instance was asked for: whether one is all there are, or all on the page, only the whole list tells.
    const all = await this.list({});
    return all.ok ? { ok: true, value: all.value.length } : all;
  }

  show(id: string): Promise<Reading<InstanceDetail | null>> {
    const read = (exchange: Exchange, context: ReadContext) => calls.readShow(exchange, id, context);
    return this.#perform((projectId) => calls.showRequest(projectId, id), read);
  }

  appendonly(id: string): Promise<Reading<boolean | null>> {
    return this.#perform((projectId) => calls.configsRequest(projectId, id), calls.readAppendonly);
  }

  keyCounts(): Promise<Reading<ReadonlyMap<string, number>>> {
    return this.#perform(calls.statisticRequest, calls.readKeyCounts);
  }

  backups(id: string): Promise<Reading<readonly BackupRecord[]>> {
    return this.#perform((projectId) => calls.backupsRequest(projectId, id), calls.readBackups);
  }

  backUp(id: string, remark: string): Promise<Reading<string>> {
    return this.#perform((projectId) => calls.backUpRequest(projectId, id, remark), calls.readBackUp);
  }

  /** Rejects with RangeError, sending nothing, unless there are 1 to 50 distinct ids. */
  async act(action: Action, ids: readonly string[]): Promise<Answer> {
    const read = (exchange: Exchange, context: ReadContext) => calls.readAct(exchange, ids, context);
    return this.#perform((projectId) => calls.actRequest(projectId, action, ids), read);
  }

  async #perform<T>(request: Request, read: (exchange: Exchange, context: ReadContext) => T): Promise<T> {
    const { access } = this.#options;
    const first = await access.grant();
    if (isFailed(first)) return read(first, this.#context([]));
    const exchange = await this.#send(request, first);
    if (!this.#isRefused(exchange, first)) return read(exchange, this.#context([first]));
    const second = await access.grant(first);
    // The same key once more would only bring it closer to being locked: the gateway does so after five failures.
    if (second === first) return read(exchange, this.#context([first]));
    if (isFailed(second)) return read(second, this.#context([first]));
    // Safe for the status call too: whom the gateway does not know, it lets through to nothing.
    return read(await this.#send(request, second), this.#context([first, second]));
  }

  #send(request: Request, grant: Grant): Promise<Exchange> {
    const { gate } = this.#options;
    const send = (): Promise<Exchange> => this.#sendPaced(request, grant);
    if (gate === undefined || !grant.isSigned) return send();
    return gate.pass(grant, { send, verdictOf: (exchange) => verdictOf(exchange, this.#context([grant])) });
  }

  async #sendPaced(request: Request, grant: Grant): Promise<Exchange> {
    const { project, now, signal } = this.#options;
    const call = request(grant.projectId);
    const later = await this.#pace.enter(project.rate.callsPerSecond, signal);
    if (later > 0) return held(later);
    const at = now();
    const query = encodeQuery(call.query);
    const url = `${project.endpoint}${encodePath(call.path)}${query === '' ? '' : `?${query}`}`;
    const own = { host: new URL(url).host, 'content-type': 'application/json', 'X-Project-Id': grant.projectId };
    const granted = grant.headersFor({ ...call, headers: own }, new Date(at));
    const headers = { ...granted, 'User-Agent': 'dcs-autopilot' };
    const exchange = await this.#sender({ ...call, url, headers }, at, signal);
    await this.#tellPace(exchange, grant, at);
    return exchange;
  }

  /** All calls of the project go slower after a 429, reads and sends alike. */
  async #tellPace(exchange: Exchange, grant: Grant, sentAt: number): Promise<void> {
    if (isFailed(exchange) || exchange.status < 300) return;
    const { project, now } = this.#options;
    const { class: errorClass, retryAfter } = problemOf(exchange, this.#context([grant]));
    if (errorClass !== 'throttled') return;
    await this.#pace.throttled(project.rate.callsPerSecond, { sentAt, now: now(), retryAfter });
  }

  /** A server that failed may have done what it was asked for, whatever code it gives. */
  #isRefused(exchange: Exchange, grant: Grant): boolean {
    if (exchange.kind === 'received' && exchange.status >= 500) return false;
    const verdict = verdictOf(exchange, this.#context([grant]));
    return typeof verdict !== 'string' && verdict.status === 'refused';
  }

  #context(used: readonly Grant[]): ReadContext {
    return {
      now: this.#options.now(),
      mask: masker(used.flatMap(({ secrets }) => secrets)),
      isSigned: used.every(({ isSigned }) => isSigned),
    };
  }
}

/** A call that was not sent, since its turn is further away than an invocation should wait. */
function held(retryAfter: number): Failed {
  const message = `The project's calls are held back for ${retryAfter} s more, after it answered 429.`;
  return { kind: 'failed', problem: { class: 'throttled', code: 'rate_held', message, retryAfter } };
}

/** A call, once it is known which project it is for. */
type Request = (projectId: string) => calls.Call;
