// The help of every command, as docs/cli.md shows it: whoever changes one changes the other.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { commands } from '../../lib/cli/commands.ts';
import { main } from '../../lib/cli/main.ts';
import { hear } from '../support/command-io.ts';

const page = readFileSync('docs/cli.md', 'utf8');
const names = commands.map(({ name }) => name);

async function helpOf(...argv: string[]): Promise<string> {
  const { code, stdout, stderr } = await hear((io) => main([...argv, '--help'], io));
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

describe('docs/cli.md', () => {
  it('has a row for every command, in the order of --help, with the same words', async () => {
    const rows = [...page.matchAll(/^\| \[`(\w+)`\]\(#\1\) \| (.*?) \|/gm)].map(([, name, does]) => ({ name, does }));

    expect(rows).toEqual(commands.map(({ name, does }) => ({ name, does })));
    for (const { name, does } of rows) expect(await helpOf()).toContain(`  ${String(name).padEnd(12)}${does}\n`);
  });

  it.each(names)('shows the help of %s', async (name) => {
    const [, section = ''] = page.split(`\n## ${name}\n`);
    const [own = ''] = section.split('\n## ');

    expect(own).toContain(`\`\`\`text\n${await helpOf(name)}\`\`\``);
    expect(own).toContain(`npx dcs-autopilot ${name}`);
  });

  it('has a section for nothing else', () => {
    expect([...page.matchAll(/^## (.*)$/gm)].map(([, title]) => title)).toEqual(names);
  });
});

describe('the help of a command', () => {
  it.each(commands.map(({ name, args }) => [name, args]))('explains every option of %s %s', async (name, args) => {
    const options = [...String(args).matchAll(/--[a-z-]+/g)].map(([option]) => option);

    const [, ...lines] = (await helpOf(String(name))).split('\n');

    for (const option of options) expect(lines.join('\n')).toMatch(new RegExp(`^  ${option}\\b`, 'm'));
  });

  it.each(names)('of %s fits a terminal, but for its usage', async (name) => {
    const [, ...lines] = (await helpOf(name)).split('\n');

    expect(lines.filter((line) => line.length > 120)).toEqual([]);
  });
});
