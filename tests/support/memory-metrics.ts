// Metrics that tests read: each count as `Name{value of each dimension} value`, in order.

import type { Metrics } from '../../lib/runtime.ts';

/** Keeps what is counted in `counts`. */
export class MemoryMetrics implements Metrics {
  readonly counts: string[] = [];

  count(...[name, value, dimensions = {}]: Parameters<Metrics['count']>): void {
    this.counts.push(`${name}{${Object.values(dimensions).join(',')}} ${value}`);
  }
}
