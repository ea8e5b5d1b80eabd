// A real Alertmanager and the local runtime, as their user meets them: firing, repeated, resolved, and from two peers.

import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as v from 'valibot';
import { LocalSite, projectId, token } from '../support/local-site.ts';
import { isInstalled, RealAlertmanager } from '../support/real-alertmanager.ts';
import { idOf } from '../support/scenario.ts';

const alertToken = 'example-token-of-alertmanager-made-up';

function config(endpoint: string): string {
  return `
projects:
  p: {region: eu-de, projectId: ${projectId}, endpoint: "${endpoint}", credentials: {aksk: env:TEST}}
targets:
  all: {project: p, names: ["*"]}
sources:
  alertmanager: {auth: bearer, secrets: [env:ALERT_TOKEN]}
jobs:
  fix:
    action: flush
    target: all
    trigger: {alert: {source: alertmanager, match: {alertname: High, env: "!=dev"}}}
  careful:
    action: restart
    target: all
    approval: required
    trigger: {alert: {source: alertmanager, match: {alertname: "=~Slow.*"}}}
defaults:
  guards: {maxInstances: 5, maxPercent: 100%}
  retry: {baseDelay: 1s, maxDelay: 2s}
  verify: {interval: 1s, settle: 1s, timeout: 60s}
`;
}

const runSchema = v.looseObject({
  runId: v.string(),
  job: v.string(),
  status: v.string(),
  code: v.optional(v.string()),
  requestedBy: v.string(),
});

// Where everything has to run, a missing program is a fault of the place.
if (process.env['CI'] !== undefined || isInstalled) {
  describe('a real Alertmanager', () => {
    let site: LocalSite;
    let sender: RealAlertmanager | undefined;

    beforeEach(async () => {
      site = await LocalSite.open(config);
    });

    afterEach(async () => {
      await sender?.stop();
      await site.close();
    });

    async function start(peers: number) {
      const { origin } = await site.serve({ ALERT_TOKEN: alertToken });
      sender = await RealAlertmanager.start({ url: `${origin}/alerts/alertmanager`, token: alertToken }, peers);
      const runs = async () => {
        const response = await fetch(`${origin}/runs`, { headers: { authorization: `Bearer ${token}` } });
        return v.parse(v.object({ runs: v.array(runSchema) }), await response.json()).runs;
      };
      const until = async (status: string) => {
        for (;;) {
          const found = (await runs()).find((run) => run.status === status);
          if (found !== undefined) return found;
          await sleep(100);
        }
      };
      return { sender, runs, until };
    }

    function labels(alertname: string, number = 1): Record<string, string> {
      return { alertname, dcs_instance_id: idOf(number), severity: 'critical' };
    }

    const now = (): string => new Date().toISOString();

    it('starts a run once, however often it repeats itself, and the run succeeds', async () => {
      const { sender, runs, until } = await start(1);

      await sender.fire(labels('High'), { startsAt: now() });
      const run = await until('succeeded');
      await sender.delivers(3);

      expect(run).toMatchObject({ job: 'fix', requestedBy: 'alert:alertmanager' });
      expect(await runs()).toHaveLength(1);
    });

    it('takes back with a resolved alert what waits for an approval', async () => {
      const { sender, runs, until } = await start(1);
      const startsAt = now();
      await sender.fire(labels('SlowLog'), { startsAt });
      await until('awaiting_approval');

      await sender.fire(labels('SlowLog'), { startsAt, endsAt: now() });

      expect(await until('cancelled')).toMatchObject({ job: 'careful', code: 'resolved' });
      expect(await runs()).toHaveLength(1);
    });

    it('sends from two peers, and still each alert starts one run', async () => {
      const { sender, runs, until } = await start(2);
      const startsAt = now();

      await sender.fire(labels('High'), { startsAt });
      await sender.fire(labels('High', 2), { startsAt });
      await until('succeeded');
      await sender.delivers(8);

      expect((await runs()).map(({ job }) => job)).toEqual(['fix', 'fix']);
    });
  });
} else {
  it.skip('a real Alertmanager: skipped because prometheus-alertmanager is not installed here', () => undefined);
}
