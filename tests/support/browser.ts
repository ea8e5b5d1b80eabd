// A real browser, driven over its own protocol (CDP) by Node's WebSocket: Chromium, headless, with a profile of its own
// that is thrown away. Nothing is downloaded; tests that need it are left out where there is none (jest.config.js).

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { chromiumPath } from './chromium.js';

const message = v.object({
  id: v.optional(v.number()),
  method: v.optional(v.string()),
  params: v.optional(v.unknown()),
  result: v.optional(v.unknown()),
  error: v.optional(v.object({ message: v.string() })),
});
const evaluated = v.object({
  result: v.object({ value: v.optional(v.unknown()) }),
  exceptionDetails: v.optional(v.unknown()),
});
const target = v.object({ targetId: v.string() });
const session = v.object({ sessionId: v.string() });
const screenshot = v.object({ data: v.string() });
const entry = v.object({ entry: v.object({ text: v.string(), level: v.string() }) });

type Message = v.InferOutput<typeof message>;

/** How often a condition is looked at, and for how long, in milliseconds. */
const lookEvery = 50;
const patience = 30_000;

/** A browser with any number of tabs. */
export class Browser {
  readonly #child: ChildProcess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (message: Message) => void>();
  readonly #listeners: ((message: Message & { sessionId?: string }) => void)[] = [];
  #last = 0;

  private constructor(child: ChildProcess, profile: string, socket: WebSocket) {
    this.#child = child;
    this.#profile = profile;
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const read = JSON.parse(String(data));
      const known = v.parse(message, read);
      if (known.id !== undefined) this.#waiting.get(known.id)?.(known);
      else for (const listen of this.#listeners) listen({ ...known, sessionId: read.sessionId });
    });
  }

  /** Starts one. */
  static async open(): Promise<Browser> {
    const profile = mkdtempSync(join(tmpdir(), 'autopilot-browser-'));
    const options = ['--headless', '--remote-debugging-port=0', `--user-data-dir=${profile}`, '--no-first-run'];
    // Its sandbox needs rights that neither root nor a container has; it only ever sees our own page.
    const args = [
      ...options,
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--lang=en-GB',
      'about:blank',
    ];
    const env = { ...process.env, TZ: 'Europe/Berlin' };
    const child = spawn(chromiumPath() ?? 'chromium', args, { stdio: ['ignore', 'ignore', 'pipe'], env });
    const socket = new WebSocket(await addressOf(child));
    await once(socket, 'open');
    return new Browser(child, profile, socket);
  }

  /** A tab of its own, with nothing stored. */
  async tab(): Promise<Tab> {
    const { targetId } = v.parse(target, await this.send('Target.createTarget', { url: 'about:blank' }));
    const attached = await this.send('Target.attachToTarget', { targetId, flatten: true });
    const { sessionId } = v.parse(session, attached);
    const tab = new Tab(this, sessionId, targetId);
    this.#listeners.push((told) => {
      if (told.sessionId === sessionId) tab.hear(told.method ?? '', told.params);
    });
    for (const domain of ['Page', 'Runtime', 'Log']) await this.send(`${domain}.enable`, {}, sessionId);
    return tab;
  }

  /** One command. Rejects with what the browser says is wrong with it. */
  async send(method: string, params: object, sessionId?: string): Promise<unknown> {
    const id = ++this.#last;
    const answered = new Promise<Message>((resolve) => this.#waiting.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params, ...(sessionId !== undefined && { sessionId }) }));
    const { result, error } = await answered;
    this.#waiting.delete(id);
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  async close(): Promise<void> {
    const gone = once(this.#child, 'exit');
    this.#socket.close();
    this.#child.kill('SIGKILL');
    await gone;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

/** One tab. */
export class Tab {
  readonly #browser: Browser;
  readonly #session: string;
  readonly #target: string;
  /** What the browser complained of: errors of scripts, refusals of the page's policy, answers that were errors. */
  readonly complaints: string[] = [];

  constructor(browser: Browser, sessionId: string, targetId: string) {
    this.#browser = browser;
    this.#session = sessionId;
    this.#target = targetId;
  }

  hear(method: string, params: unknown): void {
    const told = method === 'Log.entryAdded' ? v.parse(entry, params).entry : undefined;
    if (told !== undefined && told.level !== 'verbose') this.complaints.push(told.text);
    if (method === 'Runtime.exceptionThrown') this.complaints.push(JSON.stringify(params));
  }

  async open(url: string): Promise<void> {
    await this.#send('Page.navigate', { url });
    await this.until("document.readyState === 'complete'");
  }

  async size(width: number, height: number): Promise<void> {
    await this.#send('Emulation.setDeviceMetricsOverride', {
      width,
      height,
      deviceScaleFactor: 1,
      mobile: width < 500,
    });
  }

  async scheme(value: 'dark' | 'light'): Promise<void> {
    await this.#send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value }] });
  }

  /** The value of an expression; a promise's is awaited. Rejects where it throws. */
  async value(expression: string): Promise<unknown> {
    const params = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = v.parse(evaluated, await this.#send('Runtime.evaluate', params));
    if (exceptionDetails !== undefined) throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`);
    return result.value;
  }

  /** Waits until an expression is true. */
  async until(expression: string): Promise<void> {
    for (let looks = 0; looks < patience / lookEvery; looks++) {
      if ((await this.value(expression).catch(() => false)) === true) return;
      await new Promise((resolve) => setTimeout(resolve, lookEvery));
    }
    throw new Error(`never came true: ${expression}\n${await this.text()}\n${this.complaints.join('\n')}`);
  }

  /** Waits until a text is seen. */
  async sees(text: string): Promise<void> {
    await this.until(`document.body.innerText.includes(${JSON.stringify(text)})`);
  }

  /** What is seen. */
  async text(): Promise<string> {
    return String(await this.value('document.body.innerText'));
  }

  /** Types into the field of that name as a person does: into what is focused. */
  async type(name: string, text: string, within = 'main'): Promise<void> {
    await this.value(`document.querySelector(${JSON.stringify(`${within} [name="${name}"]`)}).focus()`);
    await this.#send('Input.insertText', { text });
  }

  /** Presses a key, such as `Enter` or `Tab`. */
  async press(key: 'Enter' | 'Tab'): Promise<void> {
    const code = { Enter: 13, Tab: 9 }[key];
    const params = { key, code: key, windowsVirtualKeyCode: code, ...(key === 'Enter' && { text: '\r' }) };
    await this.#send('Input.dispatchKeyEvent', { type: 'keyDown', ...params });
    await this.#send('Input.dispatchKeyEvent', { type: 'keyUp', ...params });
  }

  /** Clicks the first button, link or summary with that text. */
  async click(text: string): Promise<void> {
    const found = `[...document.querySelectorAll('button, a, summary')].find((each) => each.innerText.includes(${JSON.stringify(text)}))`;
    await this.until(`${found} !== undefined`);
    await this.value(`${found}.click()`);
  }

  /** The whole page as a PNG. */
  async screenshot(): Promise<Buffer> {
    const params = { format: 'png', captureBeyondViewport: true };
    return Buffer.from(v.parse(screenshot, await this.#send('Page.captureScreenshot', params)).data, 'base64');
  }

  async close(): Promise<void> {
    await this.#browser.send('Target.closeTarget', { targetId: this.#target });
  }

  async #send(method: string, params: object): Promise<unknown> {
    return await this.#browser.send(method, params, this.#session);
  }
}

/** Where the browser listens: it says so on stderr. */
async function addressOf(child: ChildProcess): Promise<string> {
  let said = '';
  return await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`the browser ended with ${code}: ${said}`)));
    child.stderr?.on('data', (chunk) => {
      said += chunk;
      const [, address] = /DevTools listening on (ws:\S+)/.exec(said) ?? [];
      if (address !== undefined) resolve(address);
    });
  });
}
