// The exit code that a run's status gives to the command that waited for it: part of the outside contract.

import type { RunStatus } from '../record.ts';

const codes: Readonly<Record<RunStatus, number>> = {
  succeeded: 0,
  planned: 0,
  partial: 3,
  failed: 4,
  refused: 5,
  missed: 5,
  cancelled: 6,
  // Seen by whoever does not wait for somebody to approve.
  awaiting_approval: 7,
  // Still going: nobody who waits for the end sees these.
  accepted: 1,
  running: 1,
};

/** 0 for what went well, 3 partial, 4 failed, 5 refused or missed, 6 cancelled, 7 awaiting approval. */
export function exitCodeOf(status: RunStatus): number {
  return codes[status];
}
