// How the entries of a status call are told where the documents leave it open: in which order, how often each, which of
// them, or not at all.

import type { BatchResult, Result } from './reply.ts';
import type { Switches } from './unknowns.ts';

/** The answer for these entries; `mentions` are the ids as they were asked, `draw` gives each a number to shuffle by. */
export function asTold(
  entries: readonly BatchResult[],
  mentions: readonly string[],
  switches: Switches,
  draw: (id: string) => number,
): Result<readonly BatchResult[]> {
  if (switches.successBody === 'empty') return { kind: 'empty' };
  const told = withoutMissing(repeated(entries, mentions, switches), switches);
  return { kind: 'ok', value: ordered(told, switches, draw) };
}

function repeated(
  entries: readonly BatchResult[],
  mentions: readonly string[],
  { duplicates }: Switches,
): readonly BatchResult[] {
  if (duplicates === 'once' || entries.length === mentions.length) return entries;
  const byId = new Map(entries.map((entry) => [entry.instance, entry]));
  const seen = new Set<string>();
  return mentions.flatMap((id) => {
    const entry = byId.get(id);
    const isFirst = !seen.has(id);
    seen.add(id);
    if (entry === undefined) return [];
    return isFirst || duplicates === 'each' ? [entry] : [{ instance: id, result: 'failed' }];
  });
}

function withoutMissing(entries: readonly BatchResult[], { missingEntries }: Switches): readonly BatchResult[] {
  if (missingEntries === 'last') return entries.slice(0, -1);
  return missingEntries === 'failed' ? entries.filter(({ result }) => result !== 'failed') : entries;
}

function ordered(
  entries: readonly BatchResult[],
  { resultOrder }: Switches,
  draw: (id: string) => number,
): readonly BatchResult[] {
  if (resultOrder === 'reversed') return entries.toReversed();
  if (resultOrder === 'asked') return entries;
  return entries.toSorted((a, b) => draw(a.instance) - draw(b.instance));
}
