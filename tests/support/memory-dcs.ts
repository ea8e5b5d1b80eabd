// The port to DCS straight on a simulated fleet: no HTTP, no signatures, no waiting. It gives the answers that the real
// client gives over HTTP; tests/dcs.contract.test.ts holds both to that.

import { classify, type Problem } from '../../lib/classify.ts';
import type { Action } from '../../lib/config.ts';
import type { Answer, DcsApi, Reading } from '../../lib/execute.ts';
import type { Fleet } from '../../lib/local/simulator/fleet.ts';
import type { InstanceView } from '../../lib/local/simulator/instance.ts';
import type { BatchResult, Reply } from '../../lib/local/simulator/reply.ts';
import type { WireError } from '../../lib/local/simulator/wire-errors.ts';
import type { Instance, InstanceDetail } from '../../lib/plan.ts';

/** How the fake treats late answers. */
export interface MemoryDcsOptions {
  /** Milliseconds after which a call is given up; default 30,000. */
  readonly timeout?: number;
  /** Waits for a delayed answer, on a clock of the test's own. Default: not at all. */
  readonly sleep?: (milliseconds: number) => Promise<void>;
}

type Answered = Extract<Answer, { readonly kind: 'answered' }>;

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
    // Like the client: a tag that cannot be asked for is left out, which finds more and never less.
    const askable = Object.entries(tags).filter((pair) => !pair.some((part) => /[,=]/.test(part)));
    const query = { tags: Object.fromEntries(askable), offset: 0, limit: Number.POSITIVE_INFINITY };
    return this.#read(this.#fleet.list(query), ({ items }) => items.map(toInstance));
  }

  async total(): Promise<Reading<number>> {
    return this.#read(this.#fleet.list({ offset: 0, limit: 1 }), ({ total }) => total);
  }

  async show(id: string): Promise<Reading<InstanceDetail | null>> {
    const reading = await this.#read(this.#fleet.show(id), toDetail);
    const isMissing = !reading.ok && reading.problem.status === 404 && reading.problem.class === 'final';
    return isMissing ? { ok: true, value: null } : reading;
  }

  async appendonly(id: string): Promise<Reading<boolean | null>> {
    return this.#read(this.#fleet.configs(id), ({ appendonly }) => appendonly);
  }

  async keyCounts(): Promise<Reading<ReadonlyMap<string, number>>> {
    return this.#read(this.#fleet.statistic(), (views) => new Map(views.map(({ id, keys }) => [id, keys])));
  }

  /** Rejects with RangeError, sending nothing, unless there are 1 to 50 distinct ids. */
  async act(action: Action, ids: readonly string[]): Promise<Answer> {
    const instances = [...new Set(ids.map((id) => id.toLowerCase()))];
    if (instances.length < 1 || instances.length > 50) throw new RangeError(`1 to 50 ids, not ${instances.length}`);
    const reading = await this.#read(this.#fleet.act({ action, instances }), resultsOf, 'no_results');
    if (!reading.ok)
      return { kind: reading.problem.class === 'unknown' ? 'lost' : 'refused', problem: reading.problem };
    return { kind: 'answered', ...reading.value };
  }

  async #read<T, U>(
    reply: Reply<T>,
    convert: (value: T, requestId: string) => U,
    unreadable = 'answer_unreadable',
  ): Promise<Reading<U>> {
    if (reply.delay >= this.#timeout) return { ok: false, problem: unknown('timeout') };
    await this.#sleep(reply.delay);
    const { requestId } = reply;
    switch (reply.kind) {
      case 'ok':
        return { ok: true, value: convert(reply.value, requestId) };
      case 'error':
        return { ok: false, problem: problemOf(reply.error, requestId) };
      case 'dropped':
      case 'truncated':
        return { ok: false, problem: unknown('connection_lost') };
      default:
        return {
          ok: false,
          problem: { ...unknown(unreadable), status: reply.kind === 'empty' ? 204 : 200, requestId },
        };
    }
  }
}

function problemOf({ status, code, message, retryAfter }: WireError, requestId: string): Problem {
  const problem = { class: classify({ code, status }), code, message, status, requestId };
  return /^\d+$/.test(String(retryAfter)) ? { ...problem, retryAfter: Number(retryAfter) } : problem;
}

function unknown(code: string): Problem {
  return { class: 'unknown', code, message: 'No answer that can be read.' };
}

function resultsOf(entries: readonly BatchResult[], requestId: string): Omit<Answered, 'kind'> {
  return { results: new Map(entries.map(({ instance, result }) => [instance, result])), requestId };
}

function toInstance({ id, name, engine, version, status, tags, specCode }: InstanceView): Instance {
  return { id, name, engine, version, status, tags, specCode };
}

function toDetail(view: InstanceView): InstanceDetail {
  return { ...toInstance(view), cacheMode: view.cacheMode, task: view.task };
}
