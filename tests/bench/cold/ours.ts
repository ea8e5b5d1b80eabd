// The DCS path of this program, as a function of it has it: signer, node-fetch, schemas and logger.

import { setTimeout as sleep } from 'node:timers/promises';
import { powertoolsLog } from '../../../lib/aws/logger.ts';
import { unlimited } from '../../../lib/config/defaults.ts';
import type { Project } from '../../../lib/config.ts';
import { ProjectAccess } from '../../../lib/huawei/access.ts';
import { HuaweiDcs } from '../../../lib/huawei/dcs.ts';
import { sender } from '../../../lib/huawei/http.ts';
import { ids, key, projectId } from '../site.ts';

const log = powertoolsLog('bench', 'info', process.stderr);

/** Restarts the two instances and logs it; answers how many were accepted. */
export async function handler(endpoint: string): Promise<number> {
  const project = projectAt(endpoint);
  const send = sender({ timeout: project.timeout });
  const dcs = new HuaweiDcs({
    project,
    access: new ProjectAccess({ project, credentials: async () => key, send, now: Date.now }),
    send,
    now: Date.now,
    sleep: (ms) => sleep(ms),
  });
  const answer = await dcs.act('restart', ids);
  const results = answer.kind === 'answered' ? [...answer.results.values()] : [];
  const accepted = results.filter((result) => result === 'success').length;
  log.info('sent', { accepted });
  return accepted;
}

function projectAt(endpoint: string): Project {
  return {
    name: 'bench',
    region: 'eu-de',
    projectId,
    endpoint,
    credentials: { aksk: 'env:BENCH' },
    protectedTag: { key: 'dcs-autopilot-protected', value: 'true' },
    ...unlimited,
    rate: { callsPerSecond: 10, retriesPerHour: 200 },
    timeout: 30,
  };
}
