// A few rows that try every pair of settings of every two switches: all combinations would be millions, and what goes
// wrong between settings goes wrong between two of them most of the time. Built greedily, the same at every run.

/** The settings of each switch by its name. */
export type Factors = Readonly<Record<string, readonly (string | boolean)[]>>;

/** A setting for each switch. */
export type Row<F extends Factors> = { readonly [Name in keyof F]: F[Name][number] };

interface Choice {
  readonly factor: number;
  readonly setting: number;
}

/** Rows in which each two settings of each two switches occur together. Some thirty rows for thirty small switches. */
export function pairwise<const F extends Factors>(factors: F): readonly Row<F>[] {
  const names: (keyof F & string)[] = Object.keys(factors);
  const sizes = names.map((name) => factors[name]?.length ?? 0);
  const missing = allPairs(sizes);
  const rows: Row<F>[] = [];
  while (missing.size > 0) {
    const row = nextRow(sizes, missing);
    for (const pair of pairsOf(row)) missing.delete(pair);
    rows.push(rowOf(factors, names, row));
  }
  return rows;
}

/** The settings of one row by their places, beginning with a pair that is still missing. */
function nextRow(sizes: readonly number[], missing: ReadonlySet<string>): readonly number[] {
  const [seed = ''] = missing;
  const chosen: Choice[] = seed.split(' ').map((text) => {
    const [factor = 0, setting = 0] = text.split(':').map(Number);
    return { factor, setting };
  });
  for (const [factor, size] of sizes.entries()) {
    if (chosen.some((each) => each.factor === factor)) continue;
    const gains = Array.from({ length: size }, (_, setting) => gain({ factor, setting }, chosen, missing));
    chosen.push({ factor, setting: gains.indexOf(Math.max(...gains)) });
  }
  return chosen.toSorted((a, b) => a.factor - b.factor).map(({ setting }) => setting);
}

/** How many missing pairs a choice brings. */
function gain(choice: Choice, chosen: readonly Choice[], missing: ReadonlySet<string>): number {
  return chosen.filter((each) => missing.has(pairOf(each, choice))).length;
}

function allPairs(sizes: readonly number[]): Set<string> {
  const places = sizes.flatMap((size, factor) => Array.from({ length: size }, (_, setting) => ({ factor, setting })));
  const pairs = places.flatMap((a) => places.filter((b) => b.factor > a.factor).map((b) => pairOf(a, b)));
  return new Set(pairs);
}

function pairsOf(row: readonly number[]): readonly string[] {
  const choices = row.map((setting, factor) => ({ factor, setting }));
  return choices.flatMap((a) => choices.slice(a.factor + 1).map((b) => pairOf(a, b)));
}

function pairOf(a: Choice, b: Choice): string {
  const [first, second] = a.factor < b.factor ? [a, b] : [b, a];
  return `${first.factor}:${first.setting} ${second.factor}:${second.setting}`;
}

function rowOf<F extends Factors>(factors: F, names: readonly (keyof F & string)[], row: readonly number[]): Row<F> {
  return Object.assign({}, ...names.map((name, factor) => ({ [name]: factors[name]?.[row[factor] ?? 0] })));
}
