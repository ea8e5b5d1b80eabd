// What is shown, as plain data: elements with attributes and children, and texts. Views make trees, and only dom.js makes
// elements of them, texts always as text. So views can be tested without a browser, and no name or reason becomes markup.

/** @typedef {{readonly tag: string, readonly attrs: Attrs, readonly children: readonly (Tree | string)[]}} Tree */
/** @typedef {Readonly<Record<string, string>>} Attrs */
/** @typedef {Tree | string | number | null | undefined | false | readonly Child[]} Child */
/** @typedef {Readonly<Record<string, string | number | boolean | undefined>>} Given */

/**
 * An element. Attributes that are false or undefined are left out, those that are true are empty; so are children that
 * are nothing, and lists of children are flattened.
 *
 * @type {(tag: string, given?: Given, ...children: readonly Child[]) => Tree}
 */
export function h(tag, given = {}, ...children) {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined && value !== false);
  const attrs = Object.fromEntries(entries.map(([name, value]) => [name, value === true ? '' : String(value)]));
  return { tag, attrs, children: children.flatMap(flat) };
}

/** @type {(child: Child) => (Tree | string)[]} */
function flat(child) {
  if (child === null || child === undefined || child === false || child === '') return [];
  if (typeof child === 'number') return [String(child)];
  if (typeof child === 'string') return [child];
  return isList(child) ? child.flatMap(flat) : [child];
}

/** @type {(child: Tree | readonly Child[]) => child is readonly Child[]} */
function isList(child) {
  return Array.isArray(child);
}
