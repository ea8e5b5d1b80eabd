// The port to DCS straight on a simulated fleet: no HTTP, no signatures, no waiting. It gives the answers that the real
// client gives over HTTP; tests/dcs.contract.test.ts holds both to that.

import { classify, type Problem } from '../../lib/classify.ts';
import type { Action } from '../../lib/config.ts';
import type { Answer, DcsApi, Reading } from '../../lib/execute.ts';
import type { Fleet } from '../../lib/local/simulator/fleet.ts';
import type { InstanceView } from '../../lib/local/simulator/instance.ts';
import type { Reply } from '../../lib/local/simulator/reply.ts';
import type { Instance, InstanceDetail } from '../../lib/plan.ts';

/** How the fake treats late answers. */
export interface MemoryDcsOptions {
  /** Milliseconds after which a call is given up; default 30,000. */
  readonly timeout?: number;
  /** Waits for a delayed answer, on a clock of the test's own. Default: not at all. */
  readonly sleep?: (milliseconds: number) => Promise<void>;
}

/** DcsApi on a fleet in memory. */
export class MemoryDcs implements DcsApi {
  readonly #fleet: Fleet;
  readonly #timeout: number;
  readonly #sleep: (milliseconds: number) => Promise<void>;

  constructor(fleet: Fleet, options: MemoryDcsOptions = {}) {
    this.#fleet = fleet;
    this.#timeout = options.timeout ?? 30_000;
    this.#sleep = options.sleep ?? (() => Promise.resolve());
  }

  async list(tags: Readonly<Record<string, string>>): Promise<Reading<readonly Instance[]>> {
    const everything = { offset: 0, limit: Number.POSITIVE_INFINITY };
    return this.#read(this.#fleet.list({ tags, ...everything }), ({ items }) => items.map(toInstance));
  }

  async total(): Promise<Reading<number>> {
    return this.#read(this.#fleet.list({ offset: 0, limit: 1 }), ({ total }) => total);
  }

  async show(id: string): Promise<Reading<InstanceDetail | null>> {
    const reading = await this.#read(this.#fleet.show(id), toDetail);
    return !reading.ok && reading.problem.code === 'DCS.3022' ? { ok: true, value: null } : reading;
  }

  async appendonly(id: string): Promise<Reading<boolean | null>> {
    return this.#read(this.#fleet.configs(id), ({ appendonly }) => appendonly);
  }

  async keyCounts(): Promise<Reading<ReadonlyMap<string, number>>> {
    return this.#read(this.#fleet.statistic(), (views) => new Map(views.map(({ id, keys }) => [id, keys])));
  }

  async act(action: Action, ids: readonly string[]): Promise<Answer> {
    const reply = this.#fleet.act({ action, instances: ids });
    const problem = await this.#problem(reply);
    if (reply.kind === 'ok' && problem === null) {
      const results = new Map(reply.value.map(({ instance, result }) => [instance, result]));
      return { kind: 'answered', results, requestId: reply.requestId };
    }
    return answerTo(problem ?? ours('malformed', 'unexpected answer', reply));
  }

  async #read<T, U>(reply: Reply<T>, convert: (value: T) => U): Promise<Reading<U>> {
    const problem = await this.#problem(reply);
    if (problem !== null) return { ok: false, problem };
    if (reply.kind === 'ok') return { ok: true, value: convert(reply.value) };
    return { ok: false, problem: ours('malformed', 'unexpected answer', reply) };
  }

  async #problem(reply: Reply<unknown>): Promise<Problem | null> {
    if (reply.delay >= this.#timeout) return ours('timeout', 'no answer in time');
    await this.#sleep(reply.delay);
    if (reply.kind === 'ok') return null;
    if (reply.kind === 'dropped') return ours('connection_lost', 'the connection was lost');
    if (reply.kind !== 'error') return ours('no_results', 'an answer without content', reply);
    const { status, code, message, retryAfter } = reply.error;
    const wait = Number(retryAfter ?? Number.NaN);
    const facts = { class: classify({ code, status }), code, message, status, requestId: reply.requestId };
    return Number.isFinite(wait) ? { ...facts, retryAfter: wait } : facts;
  }
}

function answerTo(problem: Problem): Answer {
  return problem.class === 'unknown' ? { kind: 'lost', problem } : { kind: 'refused', problem };
}

function ours(code: string, message: string, reply?: Reply<unknown>): Problem {
  return { class: 'unknown', code, message, ...(reply === undefined ? {} : { requestId: reply.requestId }) };
}

function toInstance({ id, name, engine, version, status, tags, specCode }: InstanceView): Instance {
  return { id, name, engine, version, status, tags, specCode };
}

function toDetail(view: InstanceView): InstanceDetail {
  return { ...toInstance(view), cacheMode: view.cacheMode, task: view.task };
}
