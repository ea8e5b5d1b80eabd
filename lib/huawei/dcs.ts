// DCS over HTTP, for one project: paces, signs and sends the calls of lib/huawei/dcs-calls.ts. It repeats a call in one
// case only, with other credentials after the first were refused; every other repetition is the caller's decision.

import defaultFetch from 'node-fetch';
import type { Action, Project } from '../config.ts';
import { AutopilotError } from '../errors.ts';
import type { Answer, DcsApi, Reading } from '../execute.ts';
import type { Instance, InstanceDetail } from '../plan.ts';
import * as calls from './dcs-calls.ts';
import { type Exchange, type Failed, type Fetch, failed, send } from './http.ts';
import { Pace, type Sleep } from './pace.ts';
import { masker, problemOf, type ReadContext } from './problem.ts';
import { type Credentials, encodePath, encodeQuery, sign } from './sign.ts';

/** What a client of one project needs of the world. */
export interface HuaweiDcsOptions {
  readonly project: Project;
  /** The project's access key; `fresh` bypasses any cache. What it throws becomes a problem: nothing is sent then. */
  readonly credentials: (fresh?: boolean) => Promise<Credentials>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly sleep: Sleep;
  /** node-fetch where absent. */
  readonly fetch?: Fetch;
  /** Gives up waiting and calling: what was not sent is `unreachable`, what was is `unknown`, both with code `aborted`. */
  readonly signal?: AbortSignal;
}

/** The adapter of the port. Never throws for anything that a service or network can do. */
export class HuaweiDcs implements DcsApi {
  readonly #options: HuaweiDcsOptions;
  readonly #projectId: string;
  readonly #pace: Pace;

  constructor(options: HuaweiDcsOptions) {
    const { now, sleep, project } = options;
    this.#options = options;
    this.#projectId = project.projectId;
    this.#pace = new Pace({ callsPerSecond: project.rate.callsPerSecond, now, sleep });
  }

  async list(tags: Readonly<Record<string, string>>): Promise<Reading<readonly Instance[]>> {
    const found = new Map<string, Instance>();
    for (let offset = 0; ; ) {
      const page = await this.#perform(calls.listRequest(this.#projectId, tags, offset), calls.readPage);
      if (!page.ok) return page;
      const known = found.size;
      // Instances that are created or deleted meanwhile move others between pages, so an id may come twice.
      for (const instance of page.value.instances) found.set(instance.id, instance);
      offset += page.value.instances.length;
      if (calls.isRepeatedPage(page.value, found.size, known)) return { ok: false, problem: calls.repeatedPage };
      if (calls.isLastPage(page.value, offset)) return { ok: true, value: [...found.values()] };
    }
  }

  total(): Promise<Reading<number>> {
    return this.#perform(calls.totalRequest(this.#projectId), calls.readTotal);
  }

  show(id: string): Promise<Reading<InstanceDetail | null>> {
    const read = (exchange: Exchange, context: ReadContext) => calls.readShow(exchange, id, context);
    return this.#perform(calls.showRequest(this.#projectId, id), read);
  }

  appendonly(id: string): Promise<Reading<boolean | null>> {
    return this.#perform(calls.configsRequest(this.#projectId, id), calls.readAppendonly);
  }

  keyCounts(): Promise<Reading<ReadonlyMap<string, number>>> {
    return this.#perform(calls.statisticRequest(this.#projectId), calls.readKeyCounts);
  }

  /** Rejects with RangeError, sending nothing, unless there are 1 to 50 distinct ids. */
  async act(action: Action, ids: readonly string[]): Promise<Answer> {
    const read = (exchange: Exchange, context: ReadContext) => calls.readAct(exchange, ids, context);
    return this.#perform(calls.actRequest(this.#projectId, action, ids), read);
  }

  async #perform<T>(call: calls.Call, read: (exchange: Exchange, context: ReadContext) => T): Promise<T> {
    const first = await this.#credentials(false);
    if ('kind' in first) return read(first, this.#context([]));
    const exchange = await this.#send(call, first);
    if (!this.#isRefusedKey(exchange, first)) return read(exchange, this.#context([first]));
    const second = await this.#credentials(true);
    // The same key once more would only bring it closer to being locked: the gateway does so after five failures.
    if ('kind' in second || isSame(first, second)) return read(exchange, this.#context([first]));
    // Safe for the status call too: whom the gateway does not know, it lets through to nothing.
    return read(await this.#send(call, second), this.#context([first, second]));
  }

  async #send(call: calls.Call, credentials: Credentials): Promise<Exchange> {
    const { project, now, signal, fetch = defaultFetch } = this.#options;
    await this.#pace.enter(signal);
    const at = now();
    const query = encodeQuery(call.query);
    const url = `${project.endpoint}${encodePath(call.path)}${query === '' ? '' : `?${query}`}`;
    const own = { host: new URL(url).host, 'content-type': 'application/json', 'X-Project-Id': project.projectId };
    const signed = sign({ ...call, headers: own }, credentials, new Date(at));
    const headers = { ...signed.headers, 'User-Agent': 'dcs-autopilot' };
    return send({ ...call, url, headers }, { fetch, timeout: project.timeout, now: at, signal });
  }

  #isRefusedKey(exchange: Exchange, credentials: Credentials): boolean {
    if (exchange.kind === 'failed' || exchange.status < 300) return false;
    const problem = problemOf(exchange, this.#context([credentials]));
    return problem.class === 'auth' && problem.code !== 'clock_skew';
  }

  #context(used: readonly Credentials[]): ReadContext {
    return { now: this.#options.now(), mask: masker(used) };
  }

  async #credentials(fresh: boolean): Promise<Credentials | Failed> {
    try {
      const credentials = await this.#options.credentials(fresh);
      return isUsable(credentials) ? credentials : malformed;
    } catch (error) {
      // Ours name what is missing and never a value; nobody knows what another error's text may hold.
      if (error instanceof AutopilotError) return failed('config', error.code, error.message);
      return failed('unreachable', 'credentials_unavailable', 'The credentials could not be read.');
    }
  }
}

const malformed = failed('config', 'credentials_malformed', 'The access key is empty or holds spaces or line breaks.');

/** Whether the key can stand in a header at all; a stray line break is the usual reason why not. */
function isUsable({ ak, sk, securityToken = 'none' }: Credentials): boolean {
  return [ak, sk, securityToken].every((part) => /^[\x21-\x7e]+$/.test(part));
}

function isSame(a: Credentials, b: Credentials): boolean {
  return a.ak === b.ak && a.sk === b.sk && a.securityToken === b.securityToken;
}
