// How connections out into the world are made: kept for a while, through a proxy where the environment names one, and trusting
// given authorities besides those that Node knows. Whatever fails before a connection stands is marked so.

import { X509Certificate } from 'node:crypto';
import { type Agent, Agent as HttpAgent } from 'node:http';
import { type AgentOptions, Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import { createSecureContext, getCACertificates } from 'node:tls';
import { EnvironmentError } from '../errors.ts';

/** The variables that name proxies, as curl and many others read them; where both spellings are set, the small one counts. */
export interface ProxyVariables {
  readonly HTTP_PROXY?: string | undefined;
  readonly http_proxy?: string | undefined;
  readonly HTTPS_PROXY?: string | undefined;
  readonly https_proxy?: string | undefined;
  readonly NO_PROXY?: string | undefined;
  readonly no_proxy?: string | undefined;
}

/** What connections need to know. `ca`: PEM, one certificate or several. */
export interface ConnectionOptions {
  readonly proxies?: ProxyVariables | undefined;
  readonly ca?: string | undefined;
}

/** Milliseconds. Servers close idle connections after 60 s or so: one that is used much earlier is still there. */
const idleLimit = 5000;

/** Connections that are shared by whoever sends over them. */
export class Connections {
  readonly #http: Agent;
  readonly #https: Agent;
  readonly #lastUse = new WeakMap<Agent, number>();

  /** Throws EnvironmentError `proxy_invalid`, `ca_malformed`; neither shows the value. */
  constructor({ proxies, ca }: ConnectionOptions = {}) {
    const proxyEnv = proxies === undefined ? undefined : proxyEnvOf(proxies);
    const options = { keepAlive: true, maxSockets: 16, maxFreeSockets: 16, timeout: idleLimit, proxyEnv };
    const trust = ca === undefined ? {} : { secureContext: trusting(ca) };
    this.#http = new HttpAgent(options);
    // Said here, since NODE_TLS_REJECT_UNAUTHORIZED counts only where nothing is said: `ca` is for what is not trusted.
    this.#https = new TlsAgent({ ...options, ...trust, rejectUnauthorized: true });
  }

  /**
   * The agent of the URL's scheme, without connections that may be dead. Its own timer closes idle ones, but a Lambda
   * that was frozen wakes up with its timers late and its connections gone; a status call that meets such a one is lost.
   * `now`: milliseconds since the epoch.
   */
  agentFor(url: string, now: number): Agent {
    const agent = url.startsWith('https:') ? this.#https : this.#http;
    if (now - (this.#lastUse.get(agent) ?? now) > idleLimit) closeIdle(agent);
    this.#lastUse.set(agent, now);
    return agent;
  }
}

/**
 * Marks what fails before the handshake is done (a proxy, a certificate, a protocol, a reset) as a failed connect: the
 * request was not sent then, and neither the code of the error nor node-fetch would tell.
 */
class TlsAgent extends HttpsAgent {
  override createConnection(
    options: Parameters<HttpsAgent['createConnection']>[0],
    callback?: Parameters<HttpsAgent['createConnection']>[1],
  ): Duplex | null | undefined {
    // Through a proxy the socket of TLS comes by the callback, when its handshake is done; without one it is returned.
    const socket = super.createConnection(options, (error, stream) => {
      callback?.(error ? mark(error) : error, stream);
    });
    socket?.prependListener('error', mark).once('secureConnect', () => socket.off('error', mark));
    return socket;
  }
}

function mark(error: Error): Error {
  return Object.assign(error, { syscall: 'connect' });
}

/** As Go does it, and others: this machine is never reached through a proxy. */
function proxyEnvOf(proxies: ProxyVariables): NonNullable<AgentOptions['proxyEnv']> {
  const { HTTP_PROXY, http_proxy, HTTPS_PROXY, https_proxy } = proxies;
  const given = (proxies.no_proxy ?? proxies.NO_PROXY ?? '').split(',').map((part) => part.trim());
  const own = ['localhost', '127.0.0.1-127.255.255.255', '[::1]', '::1'];
  const NO_PROXY = [...given.filter((part) => part !== '').map(withSubdomains), ...own].join(',');
  return { HTTP_PROXY: urlOf(http_proxy ?? HTTP_PROXY), HTTPS_PROXY: urlOf(https_proxy ?? HTTPS_PROXY), NO_PROXY };
}

/** A name stands for all that end in it, as with curl, Go and others; Node alone takes it for one host. */
function withSubdomains(part: string): string {
  return /^(?=[^:]*[a-z])[a-z\d-]+(\.[a-z\d-]+)*$/i.test(part) ? `.${part}` : part;
}

/** Checked here: what Node does not understand it passes over in silence, and its words for the rest show the password. */
function urlOf(proxy: string | undefined): string | undefined {
  if (proxy === undefined || proxy === '') return undefined;
  const url = proxy.includes('://') ? proxy : `http://${proxy}`;
  if (/^https?:$/.test(URL.parse(url)?.protocol ?? '')) return url;
  throw new EnvironmentError(
    'proxy_invalid',
    'HTTPS_PROXY or HTTP_PROXY is no URL of a proxy such as http://host:port',
  );
}

/** Made once, since to read all authorities anew for each connection takes milliseconds. */
function trusting(ca: string): ReturnType<typeof createSecureContext> {
  const certificates = ca.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (certificates.length === 0 || !certificates.every(isCertificate)) {
    throw new EnvironmentError('ca_malformed', 'the secret behind `ca` must be certificates in PEM');
  }
  return createSecureContext({ ca: [...getCACertificates('default'), ...certificates] });
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}

function closeIdle(agent: Agent): void {
  for (const sockets of Object.values(agent.freeSockets)) {
    for (const socket of sockets ?? []) socket.destroy();
  }
}
