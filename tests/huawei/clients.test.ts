// The clients as the composition roots make them: which certificates they trust, and which proxies they use.

import { afterEach, describe, expect, it } from '@jest/globals';
import type { Project, Ref } from '../../lib/config.ts';
import { EnvironmentError } from '../../lib/errors.ts';
import { type ClientsOptions, dcsClients } from '../../lib/huawei/clients.ts';
import { MemoryState } from '../support/memory-state.ts';
import { jobOf } from '../support/scenario.ts';
import { json, type Loopback, startLoopback } from './loopback-server.ts';
import { selfSigned } from './self-signed.ts';

const certificate = selfSigned();
const other = selfSigned({ host: 'proxy.example.test' });

let server: Loopback | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** A client whose project trusts what `pem` gives, over TLS. */
async function start(pem: () => string, more: Partial<ClientsOptions> = {}) {
  server = await startLoopback((response) => json(response, 200, { instance_num: 7 }), certificate);
  const get = async (ref: Ref) => {
    if (ref === 'env:CA') return pem();
    if (ref.endsWith('_AK') || ref.endsWith('_SK')) return 'made-up';
    throw new EnvironmentError('secret_missing', `${ref} is not set`);
  };
  const project: Project = { ...jobOf('flush').project, endpoint: server.url, ca: 'env:CA' };
  const state = new MemoryState();
  const world = {
    state,
    log: { warn: () => undefined },
    random: () => 0.5,
    now: Date.now,
    sleep: async () => undefined,
  };
  return dcsClients({ secrets: { get }, ...world, ...more })(project);
}

describe('the certificates of a project', () => {
  it('are used for its calls, and read anew where they are exchanged', async () => {
    let pem = other.cert;
    const dcs = await start(() => pem);

    const before = await dcs.total();
    pem = `${other.cert}${certificate.cert}`;

    expect(before).toMatchObject({ ok: false, problem: { class: 'unreachable', code: 'connect_failed' } });
    expect(await dcs.total()).toEqual({ ok: true, value: 7 });
    expect(await dcs.total()).toEqual({ ok: true, value: 7 });
    expect(server?.connections()).toBe(2);
  });

  it.each([
    ['are none', () => 'super-secret', 'config', 'ca_malformed'],
    ['are missing', () => missing(), 'config', 'secret_missing'],
    ['cannot be read now', () => broken(), 'unreachable', 'ca_unavailable'],
  ])('that %s let nothing be sent', async (_name, pem, errorClass, code) => {
    const dcs = await start(pem);

    const reading = await dcs.total();

    expect(reading).toMatchObject({ ok: false, problem: { class: errorClass, code } });
    expect(JSON.stringify(reading)).not.toContain('super-secret');
    expect(server?.seen).toEqual([]);
  });
});

describe('the proxies of the environment', () => {
  it('are checked when the program starts', async () => {
    await expect(start(() => other.cert, { proxies: { https_proxy: 'ftp://me:super-secret@proxy' } })).rejects.toThrow(
      expect.objectContaining({ code: 'proxy_invalid', message: expect.not.stringContaining('super-secret') }),
    );
  });
});

function missing(): string {
  throw new EnvironmentError('secret_missing', 'env:CA is not set');
}

function broken(): string {
  throw new Error('super-secret');
}
