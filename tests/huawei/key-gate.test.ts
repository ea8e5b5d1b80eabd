// The gate before signed calls: how many of them go out with a key that nobody knows, or that was refused.

import { describe, expect, it } from '@jest/globals';
import type { Exchange } from '../../lib/huawei/http.ts';
import { KeyGate } from '../../lib/huawei/key-gate.ts';
import type { Verdict } from '../../lib/key-trial.ts';
import { MemoryLog } from '../support/memory-log.ts';
import { MemoryState } from '../support/memory-state.ts';
import { VirtualTime } from '../support/virtual-time.ts';

const minute = 60_000;
const grant = { secrets: ['EXAMPLEACCESSKEY0001', 'ExampleSecretKey/0001'] };
const other = { secrets: ['EXAMPLEACCESSKEY0001', 'ExampleSecretKey/0002'] };
const problem = { class: 'auth', code: 'APIGW.0301', message: 'Incorrect IAM authentication information' } as const;
const rejected = { kind: 'failed', problem: { class: 'auth', code: 'credentials_rejected' } };

/** Processes of one project, and a service that takes 100 ms for an answer and says of a key what `verdict` holds. */
class Scene {
  readonly time = new VirtualTime();
  readonly log = new MemoryLog();
  readonly state: MemoryState;
  verdict: Verdict = { status: 'refused', problem };
  sent = 0;
  /** Calls that were out together, at most. */
  together = 0;
  #out = 0;

  constructor(state = new MemoryState()) {
    this.state = state;
  }

  /** `ahead`: ms by which its clock is wrong; may be changed. */
  process(clock = { ahead: 0 }): KeyGate {
    const { now, sleep } = this.time;
    return new KeyGate({ state: this.state, pk: 'project#p', now: () => now() + clock.ahead, sleep, log: this.log });
  }

  /** Calls of these processes, all begun at once. */
  calls(processes: readonly KeyGate[], each: number, used = grant): Promise<Exchange[]> {
    const all = processes.flatMap((gate) => Array.from({ length: each }, () => this.call(gate, used)));
    return this.time.play(Promise.all(all));
  }

  call(gate: KeyGate, used: typeof grant): Promise<Exchange> {
    const { verdict } = this;
    const send = async (): Promise<Exchange> => {
      this.sent += 1;
      this.#out += 1;
      this.together = Math.max(this.together, this.#out);
      await this.time.sleep(100);
      this.#out -= 1;
      if (typeof verdict !== 'string') return { kind: 'failed', problem: verdict.problem };
      return {
        kind: 'received',
        status: 200,
        body: '',
        date: null,
        retryAfter: null,
        requestId: null,
        subjectToken: null,
      };
    };
    return gate.pass(used, { send, verdictOf: () => verdict });
  }
}

describe('a wrong key', () => {
  it('is sent once, however many calls and processes begin with it together', async () => {
    const scene = new Scene();

    const answers = await scene.calls([scene.process(), scene.process(), scene.process()], 5);

    expect(scene.sent).toBe(1);
    expect(answers.every((answer) => answer.kind === 'failed' && answer.problem.class === 'auth')).toBe(true);
  });

  it('is sent once in ten minutes by all who come later, and the others hear when the next one is due', async () => {
    const scene = new Scene();
    await scene.calls([scene.process()], 1);

    const answers = await scene.calls([scene.process()], 5);
    await scene.time.play(scene.time.sleep(10 * minute));
    await scene.calls([scene.process(), scene.process(), scene.process()], 5);

    expect(answers).toMatchObject(Array(5).fill(rejected));
    expect(scene.sent).toBe(2);
  });

  it('holds nobody up who has another one', async () => {
    const scene = new Scene();
    await scene.calls([scene.process()], 1);
    scene.verdict = 'good';

    const answers = await scene.calls([scene.process()], 5, other);

    expect(answers.map(({ kind }) => kind)).toEqual(Array(5).fill('received'));
    expect(await scene.calls([scene.process()], 1)).toMatchObject([rejected]);
  });

  it('holds nobody up who waits for its answer with another one', async () => {
    const scene = new Scene();
    const process = scene.process();
    const waiting = scene.time.sleep(50).then(() => {
      scene.verdict = 'good';
      return scene.call(process, other);
    });

    const answers = await scene.time.play(Promise.all([scene.call(process, grant), waiting]));

    expect(answers.map(({ kind }) => kind)).toEqual(['failed', 'received']);
  });

  it('is used by everybody again once a probe was accepted', async () => {
    const scene = new Scene();
    await scene.calls([scene.process()], 1);
    await scene.time.play(scene.time.sleep(10 * minute));
    scene.verdict = 'good';

    await scene.calls([scene.process()], 1);
    const answers = await scene.calls([scene.process(), scene.process()], 5);

    expect(answers.map(({ kind }) => kind)).toEqual(Array(10).fill('received'));
  });

  it('leaves nothing of itself in the state', async () => {
    const scene = new Scene();
    await scene.calls([scene.process()], 1);

    const stored = await scene.state.query('project#p', '');

    expect(stored).toMatchObject([
      { sk: expect.stringMatching(/^credentials#[0-9a-f]{8}$/), value: { status: 'refused' } },
    ]);
    for (const secret of grant.secrets) expect(JSON.stringify(stored)).not.toContain(secret);
  });

  it('is sent once by each process where the state does not answer, which is logged', async () => {
    class AwayState extends MemoryState {
      override get = () => Promise.reject(new Error('no answer'));
      override put = () => Promise.reject(new Error('no answer'));
    }
    const scene = new Scene(new AwayState());

    await scene.calls([scene.process(), scene.process()], 5);

    expect(scene.sent).toBe(2);
    expect(scene.log.entries.map(({ level }) => level)).toEqual(Array(4).fill('warn'));
  });
});

describe('a good key', () => {
  it('goes out alone at first, and together from then on', async () => {
    const scene = new Scene();
    scene.verdict = 'good';
    const process = scene.process();

    await scene.calls([process], 1);
    expect(scene.together).toBe(1);
    await scene.calls([process], 5);

    expect(scene.together).toBe(5);
    expect(scene.sent).toBe(6);
  });

  it('costs a process that comes later one read of the state, and no write', async () => {
    const scene = new Scene();
    scene.verdict = 'good';
    await scene.calls([scene.process()], 1);
    const [before] = await scene.state.query('project#p', '');

    await scene.calls([scene.process()], 20);

    expect(await scene.state.query('project#p', '')).toEqual([before]);
  });

  it('that is refused one day is told to all, and by this process sent no more', async () => {
    const scene = new Scene();
    scene.verdict = 'good';
    const process = scene.process();
    await scene.calls([process], 1);
    scene.verdict = { status: 'refused', problem };

    await scene.calls([process], 5);
    const answers = await scene.calls([process, scene.process()], 5);

    expect(scene.sent).toBe(6);
    expect(answers).toMatchObject(Array(10).fill(rejected));
  });
});

describe('an answer that says nothing of the key', () => {
  it('lets the next call try, one after the other', async () => {
    const scene = new Scene();
    scene.verdict = 'open';

    await scene.calls([scene.process()], 4);

    expect(scene.sent).toBe(4);
    expect(scene.together).toBe(1);
  });

  it('is told to all who wait where the clock is wrong: each of them would only be refused, too', async () => {
    const scene = new Scene();
    scene.verdict = { status: 'skewed', problem: { ...problem, code: 'clock_skew' } };

    const answers = await scene.calls([scene.process()], 5);

    expect(scene.sent).toBe(1);
    expect(answers).toMatchObject(Array(5).fill({ problem: { code: 'clock_skew' } }));
    expect(await scene.state.query('project#p', '')).toMatchObject([{ value: { status: 'trying' } }]);
  });
});

describe('a wrong clock', () => {
  const skewed: Verdict = { status: 'skewed', problem: { ...problem, code: 'clock_skew' } };

  it('is found once in ten minutes: whoever signs by it is refused, and that counts against the key', async () => {
    const scene = new Scene();
    scene.verdict = skewed;
    const process = scene.process({ ahead: 20 * minute });

    const answers = [await scene.calls([process], 5), await scene.calls([process], 5, other)].flat();
    expect(scene.sent).toBe(1);
    await scene.time.play(scene.time.sleep(10 * minute));
    await scene.calls([process], 5);

    expect(answers).toMatchObject(Array(10).fill({ kind: 'failed', problem: { code: 'clock_skew' } }));
    expect(scene.sent).toBe(2);
  });

  it('stops a process that was accepted before', async () => {
    const scene = new Scene();
    scene.verdict = 'good';
    const process = scene.process();
    await scene.calls([process], 1);
    scene.verdict = skewed;

    await scene.calls([process], 5);
    await scene.calls([process], 5);

    expect(scene.sent).toBe(6);
  });

  it.each([20 * minute, -20 * minute])('of %i ms that is put right is no reason to wait', async (ahead) => {
    const scene = new Scene();
    scene.verdict = skewed;
    const clock = { ahead };
    const process = scene.process(clock);
    await scene.calls([process], 1);
    clock.ahead = 0;
    scene.verdict = 'good';

    const answers = await scene.calls([process], 5);

    expect(answers.map(({ kind }) => kind)).toEqual(Array(5).fill('received'));
  });

  it('does not keep others waiting for a time that has not come yet', async () => {
    const scene = new Scene();
    scene.verdict = skewed;
    await scene.calls([scene.process({ ahead: 60 * minute })], 1);
    scene.verdict = 'good';
    const before = scene.time.now();

    await scene.calls([scene.process()], 5);

    expect(scene.sent).toBe(6);
    expect(scene.time.now() - before).toBeLessThan(minute);
  });
});
