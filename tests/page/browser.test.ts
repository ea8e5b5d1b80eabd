// The page in a real browser, over the real doors and loopback: signing in, looking, steering, and whatever somebody puts
// into a name. Left out where there is no Chromium (jest.config.js says so).

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { alertDoor } from '../../functions/alert.ts';
import { consoleDoor } from '../../functions/console.ts';
import { webhookDoor } from '../../functions/webhook.ts';
import { accept } from '../../lib/doors/accept.ts';
import type { LambdaDoor } from '../../lib/local/gateway.ts';
import { type RunningServer, startServer } from '../../lib/local/server.ts';
import { type RunRecord, readRecord, updateRecord, writeList } from '../../lib/record.ts';
import { Browser, type Tab } from '../support/browser.ts';
import {
  approverToken,
  type DoorWorld,
  doorWorld,
  jobNamed,
  logInto,
  operatorToken,
  readerToken,
} from '../support/door-world.ts';
import { evil, evilRun, runOf } from '../support/page-world.ts';

let browser: Browser;
let world: DoorWorld;
let server: RunningServer;
let tab: Tab;

beforeAll(async () => {
  browser = await Browser.open();
});

afterAll(() => browser.close());

beforeEach(async () => {
  world = doorWorld();
  world.now = Date.now();
  const doors = { alert: alertDoor(world.open), webhook: webhookDoor(world.open), console: consoleDoor(world.open) };
  server = await startServer({ host: '127.0.0.1', port: 0, ...doors, log: logInto(world.log), limits: { close: 20 } });
  tab = await browser.tab();
});

afterEach(async () => {
  await tab.close();
  await server.close();
});

/** A stored run of `nightly` by Alice, with a plan, outcomes, and whatever else a test wants of it. */
async function runWith(changes: Partial<RunRecord>, view = runOf({})): Promise<string> {
  const receivedAt = new Date(world.now).toISOString();
  const event = { trigger: 'manual', identity: 'a run', requestedBy: 'operator:alice', receivedAt } as const;
  const { runId } = await accept(world.runtime, jobNamed('nightly'), event);
  const waves = view.plan.waves.map(({ length }) => length);
  const plan = { hash: 'a'.repeat(64), waves, excluded: view.plan.excluded.length };
  const record = await updateRecord(world.state, runId, (before) => ({ ...before, plan, ...changes }));
  await writeList(world.state, record, 'plan', view.plan.waves.flat());
  await writeList(world.state, record, 'excluded', view.plan.excluded);
  await writeList(world.state, record, 'outcomes', view.outcomes);
  return runId;
}

async function signIn(token = operatorToken, place = ''): Promise<void> {
  await tab.open(`${server.url}/${place}`);
  await tab.sees('Operator token');
  await tab.type('token', token);
  await tab.press('Enter');
  await tab.until("document.querySelector('article, .problem p') !== null");
}

describe('the way in', () => {
  it('shows nothing to a stranger, and asks nobody for anything', async () => {
    await runWith({});

    await tab.open(`${server.url}/#/runs/nightly-1`);
    await tab.sees('Operator token');

    expect(await tab.text()).not.toMatch(/nightly|staging/);
    expect(world.calls).toBeLessThan(20);
    expect(tab.complaints).toEqual([]);
  });

  it('is refused to a wrong token, which is not kept', async () => {
    await signIn('wrong');

    expect(await tab.text()).toContain('token_invalid');
    expect(await tab.value('sessionStorage.length')).toBe(0);
  });

  it('is by keyboard; the token is in this tab alone and in no address, and gone after signing out', async () => {
    await signIn();
    await tab.sees('There are none.');
    const kept = await tab.value('[sessionStorage.length, localStorage.length, document.cookie, location.href]');

    await tab.click('Sign out');
    await tab.sees('Operator token');

    expect(kept).toEqual([1, 0, '', `${server.url}/`]);
    expect(await tab.value('sessionStorage.length')).toBe(0);
    expect(tab.complaints).toEqual([]);
  });

  it('is the same where the gateway puts the name of a stage before every path', async () => {
    await server.close();
    const door = consoleDoor(world.open);
    const staged: LambdaDoor = (event, context) =>
      door({ ...event, requestContext: { ...event.requestContext, stage: 'prod' } }, context);
    const doors = { alert: alertDoor(world.open), webhook: webhookDoor(world.open), console: staged };
    server = await startServer({
      host: '127.0.0.1',
      port: 0,
      ...doors,
      log: logInto(world.log),
      limits: { close: 20 },
    });

    await signIn(operatorToken, 'prod');

    await tab.sees('There are none.');
  });
});

describe('what comes from outside', () => {
  it('is shown as text, and does nothing', async () => {
    const { stop, outcomes, plan, rungs } = { rungs: [], ...evilRun };
    const id = await runWith(
      { status: 'failed', code: evil, reason: evil, ...(stop && { stop }), rungs },
      runOf({ outcomes, plan: { ...plan, excluded: plan.excluded } }),
    );
    const pause = { reason: evil, project: 'staging' };
    await fetch(`${server.url}/pause`, {
      method: 'POST',
      headers: headersOf(operatorToken),
      body: JSON.stringify(pause),
    });

    await signIn(operatorToken, `#/runs/${id}`);
    await tab.sees('Plan and outcomes');

    expect((await tab.text()).split(evil).length).toBeGreaterThan(8);
    expect(await tab.value("document.querySelectorAll('img, script, iframe').length")).toBe(1);
    expect(await tab.value('document.title')).toBe('dcs-autopilot');
    expect(tab.complaints).toEqual([]);
  });

  it('could do nothing even if it became markup: the browser forbids that', async () => {
    await signIn();

    const made = await tab.value(
      `(() => { try { document.body.innerHTML = '<b>x</b>'; return 'made'; } catch (error) { return error.name; } })()`,
    );

    expect(made).toBe('TypeError');
  });
});

function headersOf(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
}

describe('running by hand', () => {
  it('goes from a dry run to its plan, and asks for the job’s name where data is destroyed', async () => {
    await signIn(operatorToken, '#/jobs/nightly');
    await tab.sees('Run it by hand');
    await tab.type('reason', 'too full');
    await tab.click('Make a plan');
    await tab.sees('about to begin');
    const [dry = ''] = world.starts;
    const asked = await readRecord(world.state, dry);
    await runWithPlan(dry);
    await refreshed();
    await tab.sees('Run this plan');
    await tab.type('typed', 'nightly-flush');
    await tab.click('Soft restart now');
    await tab.sees('Nothing was sent');
    const startsBefore = world.starts.length;
    await tab.value("document.querySelector('[name=typed]').value = ''");
    await tab.type('typed', 'nightly');
    await tab.press('Enter');
    await tab.sees('The run is accepted.');

    expect(asked?.event).toMatchObject({ dryRun: true, reason: 'too full' });
    expect(startsBefore).toBe(1);
    expect((await readRecord(world.state, world.starts[1] ?? ''))?.event).toMatchObject({
      plan: 'a'.repeat(64),
      reason: 'too full',
    });
  });

  it('tells which field is faulty', async () => {
    await signIn(operatorToken, '#/jobs/nightly');
    await tab.sees('Run it by hand');
    await tab.type('instances', 'stg-cart-01');
    await tab.click('Make a plan');

    await tab.sees('instances[0] must be a UUID');
    expect(world.starts).toEqual([]);
  });
});

async function runWithPlan(id: string): Promise<void> {
  const view = runOf({});
  const plan = { hash: 'a'.repeat(64), waves: view.plan.waves.map(({ length }) => length), excluded: 0 };
  const record = await updateRecord(world.state, id, (before) => ({ ...before, status: 'planned', plan }));
  await writeList(world.state, record, 'plan', view.plan.waves.flat());
}

/** As when the tab is seen again. */
async function refreshed(): Promise<void> {
  await tab.value("dispatchEvent(new Event('visibilitychange'))");
}

describe('steering', () => {
  const approval = () => ({
    answerId: 'answer-1',
    planHash: 'a'.repeat(64),
    requestedAt: new Date(world.now).toISOString(),
    lapsesAt: new Date(world.now + 3_600_000).toISOString(),
  });

  it('another operator approves a plan', async () => {
    const id = await runWith({ status: 'awaiting_approval', approval: approval() });

    await signIn(approverToken, `#/runs/${id}`);
    await tab.sees('This plan waits for approval');
    await tab.type('reason', 'seen');
    await tab.click('Approve this plan');
    await tab.sees('The plan is approved.');

    const decision = (await readRecord(world.state, id))?.approval?.decision;
    expect(decision).toMatchObject({ verdict: 'approved', by: 'operator:carol', reason: 'seen' });
    expect(world.answers).toEqual(['answer-1']);
  });

  it.each([
    ['whoever asked for it', operatorToken, 'Whoever asked for a run cannot approve it.'],
    ['whoever only looks', readerToken, 'The operator bob does not have the right approve.'],
  ])('%s is told so', async (_name, token, sentence) => {
    const id = await runWith({ status: 'awaiting_approval', approval: approval() });

    await signIn(token, `#/runs/${id}`);
    await tab.click('Approve this plan');

    await tab.sees(sentence);
    expect((await readRecord(world.state, id))?.approval?.decision).toBeUndefined();
  });

  it('a run is cancelled, and a pause stands on top of everything until it is lifted', async () => {
    const id = await runWith({ status: 'running' });
    await signIn(operatorToken, `#/runs/${id}`);
    await tab.click('Cancel this run');
    await tab.type('reason', 'wrong fleet', '[data-act=cancel]');
    await tab.click('Cancel the run');
    await tab.sees('Nothing more will be sent.');
    await tab.click('Pause');
    await tab.sees('Pause now');
    await tab.type('reason', 'an incident', '[data-act=pause]');
    await tab.press('Enter');
    await tab.sees('PAUSED: everything.');
    await tab.click('Runs');
    await tab.sees('The newest runs');
    const onTop = await tab.text();
    await tab.click('Pause');
    await tab.click('Resume everything');
    await tab.sees('Resumed.');
    await tab.until("!document.body.innerText.includes('PAUSED')");

    expect((await readRecord(world.state, id))?.stop).toMatchObject({ reason: 'wrong fleet', by: 'operator:alice' });
    expect(onTop).toContain('PAUSED: everything.');
  });
});

describe('looking', () => {
  it('again leaves focus, what is being typed and what was unfolded as they are', async () => {
    const id = await runWith({ status: 'running' });
    await signIn(operatorToken, `#/runs/${id}`);
    await tab.click('Cancel this run');
    await tab.type('reason', 'half a sen', '[data-act=cancel]');
    await updateRecord(world.state, id, (before) => ({ ...before, reason: 'a newer reason' }));

    await refreshed();
    await tab.sees('a newer reason');

    await updateRecord(world.state, id, ({ reason: _, ...before }) => before);
    await refreshed();
    await tab.until("!document.body.innerText.includes('a newer reason')");

    const seen = "[document.activeElement.name, document.activeElement.value, document.querySelector('details').open]";
    expect(await tab.value(seen)).toEqual(['reason', 'half a sen', true]);
  });

  it('says when it could not be done again, and of when it is what is shown', async () => {
    await runWith({});
    await signIn();
    await tab.sees('The newest runs');
    await server.close();

    await refreshed();

    await tab.sees('Not up to date: The service cannot be reached.');
    expect(await tab.text()).toContain('nightly');
  });

  it.each(['dark', 'light'] as const)('fits on a screen of 360 pixels, %s', async (scheme) => {
    const id = await runWith({ status: 'partial' });
    await tab.size(360, 740);
    await tab.scheme(scheme);
    await signIn();

    for (const place of ['#/', `#/runs/${id}`, '#/jobs', '#/jobs/nightly', '#/pause']) {
      await tab.value(`location.hash = ${JSON.stringify(place)}`);
      await tab.until("document.querySelector('article h2') !== null");
      expect(await tab.value('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
    }
    expect(tab.complaints).toEqual([]);
  });
});
