// Runs in a fresh process: loads one bundle, makes its first call, and tells how long both took. It is a bundle itself,
// so that nothing but node and this file is there before the clock starts.

import { createRequire } from 'node:module';

const [file = '', endpoint = ''] = process.argv.slice(2);
const load = createRequire(file);

const cpuBefore = process.cpuUsage();
const begun = performance.now();
const { handler } = load(file);
const loaded = performance.now();
const accepted: number = await handler(endpoint);
const answered = performance.now();
const { user, system } = process.cpuUsage(cpuBefore);

const rss = process.memoryUsage().rss / 1024 / 1024;
const figures = { load: loaded - begun, first: answered - begun, cpu: (user + system) / 1000, rss, accepted };
process.stdout.write(`${JSON.stringify(figures)}\n`);
