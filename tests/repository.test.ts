// The rules of this repository that no formatter, linter or compiler holds: which file may import which, what the pure
// files keep away from, how files are named and begun, and what must not be in any of them. Part of `npm run check`.

import { describe, expect, it } from '@jest/globals';
import * as v from 'valibot';
import { circlesIn, codeOf, importsOf, packageOf, projectFiles, structureOf, textOf } from './support/source-files.ts';

const files = projectFiles();
const sources = files.filter((path) => /^(functions|lib)\/.*\.[cm]?[jt]s$/.test(path));
const tests = files.filter((path) => /^tests\/.*\.[cm]?[jt]s$/.test(path));
// The rooms of lib/ touch the world; its other folders are as pure as the files beside them.
const pure = sources.filter((path) => roomOf(path) === 'lib');
const doors = sources.filter((path) => path.startsWith('functions/') && path !== 'functions/run.ts');

/** Imports between files of ours that leave their room, each with its reason. A key that ends in `*` is a beginning. */
const allowed: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'functions/*': {
    'lib/aws/runtime.ts': 'the composition root of every door',
    'lib/aws/door.ts': 'what the HTTP doors share',
  },
  'functions/alert.ts': { 'lib/alerts/*': 'its adapters say what came' },
  'functions/run.ts': { 'lib/aws/world.ts': 'its composition root' },
  'functions/console.ts': {
    'package.json': 'its version is part of /healthz',
    'lib/page/document.ts': 'composition root: the page is a route of it',
    'lib/openapi/openapi.json': 'the description of the doors, which it hands out',
  },
  'lib/openapi/document.ts': { 'package.json': 'its version is that of the description' },
  'lib/aws/world.ts': {
    'lib/huawei/clients.ts': 'composition root: the adapter behind the DcsApi port',
    'lib/web/*': 'composition root: the adapters that tell webhooks and ask health checks',
  },
  'lib/aws/packaging.ts': {
    'lib/cli/load-config.ts': 'packaging reads the configuration as the command line does',
    'lib/page/source.ts': 'its texts go into the bundle as they are',
  },
  'lib/cli/alert-file.ts': { 'lib/alerts/unverified.ts': 'alerts out of a file, read as they are when they come' },
  'lib/cli/live.ts': {
    'lib/huawei/clients.ts': 'composition root of the commands that read DCS: the adapter behind the DcsApi port',
    'lib/local/*': 'their secrets, and their state in memory',
  },
  'lib/cli/plan.ts': { 'lib/local/rehearsal/rehearse.ts': 'a dry run without a server' },
  'lib/cli/simulate.ts': {
    'lib/local/rehearsal/*': 'composition root of a run on the simulator',
    'lib/local/simulator/*': 'the simulator of such a run',
    'lib/local/*': 'its state in memory',
  },
  'lib/cli/simulator.ts': { 'lib/local/simulator/*': 'composition root of the simulator alone' },
  'lib/cli/commands.ts': { 'lib/local/serve.ts': 'a command, loaded when it is called' },
  'lib/local/compose.ts': {
    'functions/run.ts': 'composition root: the durable handler is the one of AWS',
    'lib/huawei/clients.ts': 'composition root: the adapter behind the DcsApi port',
    'lib/web/*': 'composition root: the adapters that tell webhooks and ask health checks',
  },
  'lib/huawei/*': { 'lib/web/connections.ts': 'connections are made in the same way wherever they go' },
  'lib/local/serve.ts': {
    'functions/*': 'composition root: the doors are the ones of AWS',
    'lib/aws/logger.ts': 'composition root: the same log',
    'lib/cli/*': 'composition root: the arguments, the exit codes and the texts of the command `serve`',
  },
};

/** Who may know of a package, or of the part of Node that marks a room. What is not listed may be used anywhere. */
const owners: Readonly<Record<string, readonly string[]>> = {
  '@aws-lambda-powertools/logger': ['lib/aws/logger.ts'],
  '@aws/durable-execution-sdk-js': ['functions/run.ts', 'lib/local/'],
  '@middy/core': ['functions/', 'lib/aws/door.ts'],
  '@valibot/to-json-schema': ['lib/cli/schema.ts', 'lib/openapi/document.ts'],
  esbuild: ['lib/aws/packaging.ts'],
  'node-fetch': ['lib/alerts/outbound.ts', 'lib/huawei/', 'lib/web/ask.ts'],
  'node:child_process': [],
  'node:fs': ['lib/aws/packaging.ts', 'lib/cli/', 'lib/local/', 'lib/page/source.ts'],
  'node:http': ['lib/aws/send.ts', 'lib/local/', 'lib/web/connections.ts'],
  'node:https': ['lib/aws/send.ts', 'lib/web/connections.ts'],
  'node:sqlite': ['lib/local/'],
  re2js: ['lib/match/pattern.ts'],
  yaml: ['lib/config/yaml.ts'],
};

/** What the pure part of lib/ may import besides itself. */
const pureModules = ['node:buffer', 'node:crypto', 're2js', 'valibot', 'yaml'];

describe('imports', () => {
  it('are read whole: types, several lines, re-exports, dynamic ones', () => {
    const text = [
      "import type { A } from './a.ts';",
      "import {\n  type B,\n  type C,\n} from '../b.ts';",
      "import d, { type E } from 'd/sub.js';",
      "import './side.ts';",
      "export * from './all.ts';",
      "const late = await import('./late.ts');",
      "const text = 'import f from f';",
    ].join('\n');

    expect(importsOf('lib/x/y.ts', text)).toEqual([
      { to: 'lib/x/a.ts', typeOnly: true },
      { to: 'lib/b.ts', typeOnly: true },
      { to: 'd/sub.js', typeOnly: false },
      { to: 'lib/x/side.ts', typeOnly: false },
      { to: 'lib/x/all.ts', typeOnly: false },
      { to: 'lib/x/late.ts', typeOnly: false },
    ]);
  });

  it('stay in their room or go to the pure part of lib/, but for the listed ones', () => {
    const crossing = crossings().filter(({ from, to }) => !isAllowed(from, to));

    expect(crossing).toEqual([]);
  });

  it('are not listed as exceptions when nothing needs them any more', () => {
    const crossing = crossings();
    const stale = Object.entries(allowed).flatMap(([from, targets]) =>
      Object.keys(targets)
        .filter((to) => !crossing.some((each) => matches(from, each.from) && matches(to, each.to)))
        .map((to) => `${from} -> ${to}`),
    );

    expect(stale).toEqual([]);
  });

  it('of lib/ outside its rooms go to their like, schema library, YAML reader, RE2 and node:crypto', () => {
    const foreign = pure.flatMap((from) =>
      modulesOf(from)
        .filter((to) => !pure.includes(to) && !pureModules.includes(to))
        .map((to) => ({ from, to })),
    );

    expect(foreign).toEqual([]);
  });

  it('of a package come from the files that own it', () => {
    const strangers = sources.flatMap((from) =>
      modulesOf(from)
        .filter((to) => owners[to]?.every((owner) => !from.startsWith(owner)))
        .map((to) => ({ from, to })),
    );

    expect(strangers).toEqual([]);
  });

  it('never go from the program to its tests', () => {
    expect(sources.filter((from) => modulesOf(from).some((to) => to.startsWith('tests/')))).toEqual([]);
  });

  it.each(['program', 'program and tests'])('of the %s form no circle, not even one of types', (which) => {
    const paths = which === 'program' ? sources : [...sources, ...tests];
    const graph = new Map(paths.map((path) => [path, modulesOf(path)]));

    expect(circlesIn(graph)).toEqual([]);
  });

  it('name every dependency, but for tools', () => {
    const { dependencies, devDependencies } = readPackage();
    const tools = ['@biomejs/biome', '@types/node', 'jest', 'node', 'serverless', 'serverless-esbuild', 'typescript'];
    // Only its types are used; and what the official SDK loads without declaring it.
    const indirect = ['@types/aws-lambda', 'uuid'];
    const imported = new Set([...sources, ...tests].flatMap(modulesOf).map(packageOf));

    const unused = Object.keys({ ...dependencies, ...devDependencies }).filter((name) => !imported.has(name));

    expect(unused.sort()).toEqual([...tools, ...indirect].sort());
  });
});

describe('files in lib/ outside its rooms', () => {
  const impure = [
    /\bprocess\b/,
    /\bDate\.now\b/,
    /\bnew Date\(\s*\)/,
    /\bDate\(\)/,
    /\bperformance\.now\b/,
    /\bMath\.random\b/,
    /\brandom(UUID|Bytes|Int)\b/,
    /\bset(Timeout|Interval|Immediate)\b/,
    /\bfetch\(/,
    /\bglobalThis\b/,
    /\bconsole\.(log|info|warn|error|debug)\b/,
    /[Pp]owertools/,
    /\bmiddy\b/,
  ];

  it.each(pure)('%s takes time, chance and data as arguments', (path) => {
    const code = codeOf(textOf(path));

    expect(impure.filter((pattern) => pattern.test(code))).toEqual([]);
  });
});

describe('files', () => {
  it('open with a comment that says why they exist', () => {
    const begins = (path: string): string => textOf(path).replace(/^#!.*\n/, '');

    expect([...sources, ...tests].filter((path) => !/^\/\/ \S/.test(begins(path)))).toEqual([]);
  });

  it.each(doors)('%s is at most 40 lines', (path) => {
    expect(textOf(path).trimEnd().split('\n').length).toBeLessThanOrEqual(40);
  });

  it('have names that say something', () => {
    const vague = /^(index|utils?|helpers?|common|types?|misc|shared)\./;

    expect([...sources, ...tests].filter((path) => vague.test(path.split('/').at(-1) ?? ''))).toEqual([]);
  });

  it('export by name, and only what is their own', () => {
    // Tools load these by their default export.
    const loaded = ['jest.config.js', 'lib/aws/packaging.ts', 'tests/support/transform.js'];
    const all = [...sources, ...tests, 'jest.config.js'];

    expect(all.filter((path) => /^export default\b/m.test(textOf(path))).sort()).toEqual(loaded.sort());
    expect(all.filter((path) => /^export (\*|\{[^}]*\}) from/m.test(textOf(path)))).toEqual([]);
  });

  it('have no `any`, no `!`, no enum and no cast', () => {
    const patterns = [/(?<!\.)\bany\b/, /[\w)\]]!(?!=)/, /^\s*(export )?(const )?enum /m, /\sas (?!const\b)/, /@ts-/];
    const without = (text: string): string =>
      codeOf(text)
        .replaceAll(/'(\\.|[^'\\\n])*'|"[^"\n]*"|`[^`]*`/g, "''")
        .replaceAll(/\/(\\.|[^/\\\n])+\/[a-z]*/g, '')
        .replaceAll(/^(import|export) [^;]*? from /gm, '');

    const found = sources.filter((path) => patterns.some((pattern) => pattern.test(without(textOf(path)))));

    expect(found).toEqual([]);
  });

  it('are all named in the README’s tree', () => {
    const named = structureOf(textIfAny('README.md'));
    const expected = new Set(sources.map((path) => path.replace(/^(lib\/local\/simulator\/).*/, '$1')));

    expect([...expected].filter((path) => named !== undefined && !named.includes(path))).toEqual([]);
    expect((named ?? []).filter((path) => !files.some((file) => file === path || file.startsWith(path)))).toEqual([]);
  });

  it('reads a tree as it is drawn', () => {
    const tree = [
      '## Structure',
      'Some words.',
      '```text',
      'functions/           the doors',
      '  run.ts             lib/run.ts inside the engine',
      'lib/                 pure',
      '  plan.ts            what to do',
      '  config.ts, zone.ts (two of them)',
      '  local/',
      '    simulator/       a fleet',
      '    serve.ts',
      '  aws/door.ts        a path',
      '```',
    ].join('\n');

    expect(structureOf(tree)).toEqual([
      'functions/',
      'functions/run.ts',
      'lib/',
      'lib/plan.ts',
      'lib/config.ts',
      'lib/zone.ts',
      'lib/local/',
      'lib/local/simulator/',
      'lib/local/serve.ts',
      'lib/aws/door.ts',
    ]);
  });
});

describe('what is in no file', () => {
  const texts = files.filter((path) => !/\.(png|gif|zip|ico)$/.test(path));

  it.each([
    ['a key of AWS', /\b(AKIA|ASIA)(?!.*EXAMPLE)[0-9A-Z]{16}\b/],
    [
      'a token of GitHub, Slack or npm',
      /\b(gh[opsu]_[A-Za-z0-9]{36}|xox[abp]-[0-9A-Za-z-]{20,}|npm_[A-Za-z0-9]{36})\b/,
    ],
    ['a path of somebody’s machine', /(^|[\s"'`(=:])\/(root|work|Users|home\/\w+|tmp\/[a-z])\//m],
    ['an address of a private registry', /\/\/[\w.-]*(artifactory|nexus|verdaccio|codeartifact)[\w.-]*\//i],
  ])('%s', (_, pattern) => {
    expect(texts.filter((path) => pattern.test(textOf(path)))).toEqual([]);
  });

  it('a private key', () => {
    // Made while a test runs, never stored.
    expect(texts.filter((path) => /-----BEGIN [A-Z ]*PRIVATE KEY-----\n[A-Za-z0-9+/]{40}/.test(textOf(path)))).toEqual(
      [],
    );
  });
});

describe('dependencies', () => {
  it('are pinned to one version each', () => {
    const { dependencies, devDependencies } = readPackage();
    const versions = Object.entries({ ...dependencies, ...devDependencies });

    expect(versions.filter(([, version]) => !/^(npm:[\w-]+@)?\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  it('are locked without the address of a registry', () => {
    expect(textOf('package-lock.json')).not.toContain('"resolved"');
    expect(textOf('.npmrc')).toContain('omit-lockfile-registry-resolved=true');
    expect(textOf('.npmrc')).not.toMatch(/registry=http|_auth/);
  });
});

function readPackage() {
  const versions = v.record(v.string(), v.string());
  return v.parse(v.object({ dependencies: versions, devDependencies: versions }), JSON.parse(textOf('package.json')));
}

function modulesOf(path: string): string[] {
  return importsOf(path, textOf(path)).map(({ to }) => to);
}

/** Imports of files of ours that neither stay in their room nor go to the pure part of lib/. */
function crossings(): { from: string; to: string }[] {
  return sources.flatMap((from) =>
    modulesOf(from)
      .filter((to) => files.includes(to) && roomOf(to) !== roomOf(from) && roomOf(to) !== 'lib')
      .map((to) => ({ from, to })),
  );
}

/** The folder that decides what a file may import: `functions`, `lib`, `lib/aws`, … */
function roomOf(path: string): string {
  const [top = '', second = '', ...rest] = path.split('/');
  const isRoom =
    top === 'lib' &&
    rest.length > 0 &&
    !['config', 'doors', 'episode', 'execute', 'guards', 'match', 'plan', 'report', 'schedule'].includes(second);
  return isRoom ? `${top}/${second}` : path.includes('/') ? top : '';
}

function isAllowed(from: string, to: string): boolean {
  return Object.entries(allowed).some(
    ([source, targets]) => matches(source, from) && Object.keys(targets).some((target) => matches(target, to)),
  );
}

function matches(pattern: string, path: string): boolean {
  return pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
}

function textIfAny(path: string): string {
  return files.includes(path) ? textOf(path) : '';
}
