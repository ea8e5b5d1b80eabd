// The port of the durable engine: what the flow needs so that it goes on after a crash. Implemented by functions/run.ts
// on AWS Lambda durable functions and by the tests' virtual engine. Code between these calls runs again at each wake, so
// it must depend on nothing but their results and on what is written once. Results are plain JSON data.

/** What an at-most-once piece of work gave; `interrupted`: it was begun, and nobody can tell how far it came. */
export type Once<T> = { readonly interrupted: false; readonly value: T } | { readonly interrupted: true };

export interface Engine {
  /** Which execution this is: the same over all its wakes and crashes, and no other one's. */
  readonly execution: string;
  /** Work that may run again after a crash: reads, and writes that can be repeated. Its result is remembered. */
  step<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Work that is never begun twice. Its start is recorded before it begins. */
  once<T>(name: string, work: () => Promise<T>): Promise<Once<T>>;
  /** Sleeps whole seconds, at least one, at no cost and across restarts. */
  wait(name: string, seconds: number): Promise<void>;
  /**
   * Waits until somebody answers (Executions.answer), for `seconds` at most, at no cost and across restarts. `ask` may run
   * again; it is told under which id to answer, and whether anybody has to be waited for at all. An answer carries
   * nothing: what was said stands in the state. `meanwhile` is durable work between the question and the wait, where
   * there is anybody to wait for. False: nobody answered.
   */
  answer(
    name: string,
    seconds: number,
    ask: (answerId: string) => Promise<boolean>,
    meanwhile?: () => Promise<void>,
  ): Promise<boolean>;
}

/**
 * Ms after which a step that asks for much hands on what it has: an invocation of a function has 15 minutes, and what it
 * does not remember in them is done again by the next one, for ever.
 */
export const stepTime = 240_000;

/** An execution has room for 3,000 operations; what is out then has still to be looked at, and the end to be written down. */
export const mostOperations = 2_600;

/** An engine that counts what it is asked for: an execution has room for so many operations only. */
export interface CountedEngine extends Engine {
  readonly spent: () => number;
}

/** The engine, counted from here on. */
export function counted(engine: Engine): CountedEngine {
  let operations = 0;
  const count = <T>(begun: Promise<T>, cost = 1): Promise<T> => {
    operations += cost;
    return begun;
  };
  return {
    execution: engine.execution,
    step: (name, work) => count(engine.step(name, work)),
    once: (name, work) => count(engine.once(name, work)),
    wait: (name, seconds) => count(engine.wait(name, seconds)),
    answer: (name, seconds, ask, meanwhile) => count(engine.answer(name, seconds, ask, meanwhile), 2),
    spent: () => operations,
  };
}

/** The same engine, with `prefix` before each name: for work that is done several times over. */
export function prefixed(engine: CountedEngine, prefix: string): CountedEngine {
  return {
    execution: engine.execution,
    step: (name, work) => engine.step(prefix + name, work),
    once: (name, work) => engine.once(prefix + name, work),
    wait: (name, seconds) => engine.wait(prefix + name, seconds),
    answer: (name, seconds, ask, meanwhile) => engine.answer(prefix + name, seconds, ask, meanwhile),
    spent: engine.spent,
  };
}
