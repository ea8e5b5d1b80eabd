// Counts what a library does while it works: how often V8 ran each block of its code. A test can hold a library to its
// promise of linear time by that, where a timing would tell more of the machine. Optimised code is counted in part only:
// two counts of the same work differ by as much as a half, orders of magnitude do not.

import { Session } from 'node:inspector/promises';

/** About how many blocks of the scripts whose address contains `script` ran during `work`. */
export async function stepsOf(script: string, work: () => void): Promise<number> {
  const session = new Session();
  session.connect();
  try {
    await session.post('Profiler.enable');
    await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
    work();
    const { result } = await session.post('Profiler.takePreciseCoverage');
    const ranges = result
      .filter(({ url }) => url.includes(script))
      .flatMap(({ functions }) => functions.flatMap((each) => each.ranges));
    return ranges.reduce((sum, { count }) => sum + count, 0);
  } finally {
    session.disconnect();
  }
}
