// The one place that makes elements: trees become the document, and a new tree changes only what differs, so that focus,
// scrolling, what is being typed and what was unfolded stay as they are while the page refreshes.

/** @import { Tree } from '../views/tree.js' */

const svgTags = ['svg', 'line', 'rect', 'circle', 'text', 'title'];

/** What each element was made from. @type {WeakMap<Node, Tree>} */
const madeFrom = new WeakMap();

/** Makes the only child of `root` be a tree. @type {(root: Element, tree: Tree) => void} */
export function show(root, tree) {
  setChildren(root, [tree]);
}

/**
 * Nodes keep their order, so what comes or goes between two of them moves neither: to take a node out of the document and
 * put it in again would lose its focus.
 *
 * @type {(parent: Element, children: readonly (Tree | string)[]) => void}
 */
function setChildren(parent, children) {
  for (const [at, child] of children.entries()) setChild(parent, at, child, children.slice(at + 1));
  while (parent.childNodes.length > children.length) parent.lastChild?.remove();
}

/** @type {(parent: Element, at: number, child: Tree | string, later: readonly (Tree | string)[]) => void} */
function setChild(parent, at, child, later) {
  const there = parent.childNodes[at];
  if (there === undefined) return parent.append(made(child));
  if (adapted(there, child)) return;
  if (later.some((each) => fits(there, each))) return there.before(made(child));
  const rest = [...parent.childNodes].slice(at);
  const next = rest.findIndex((node) => fits(node, child));
  if (next < 0) return there.replaceWith(made(child));
  for (const gone of rest.slice(0, next)) gone.remove();
  adapted(parent.childNodes[at], child);
}

/** Whether a node can be made into the child. @type {(node: Node, child: Tree | string) => boolean} */
function fits(node, child) {
  if (typeof child === 'string') return node.nodeType === Node.TEXT_NODE;
  const before = madeFrom.get(node);
  return before?.tag === child.tag && isSameForm(before, child);
}

/** Makes a node into the child if it can be. @type {(node: Node | undefined, child: Tree | string) => boolean} */
function adapted(node, child) {
  if (node === undefined || !fits(node, child)) return false;
  if (typeof child === 'string') {
    if (node.nodeValue !== child) node.nodeValue = child;
    return true;
  }
  if (!(node instanceof Element)) return false;
  const before = madeFrom.get(node)?.attrs ?? {};
  for (const name of Object.keys(before)) if (!(name in child.attrs)) node.removeAttribute(name);
  for (const [name, value] of Object.entries(child.attrs)) {
    if (before[name] !== value) node.setAttribute(name, value);
  }
  madeFrom.set(node, child);
  setChildren(node, child.children);
  return true;
}

/** What was typed into one form must not be found in another one. @type {(before: Tree, after: Tree) => boolean} */
function isSameForm(before, after) {
  const names = ['class', 'data-act', 'data-run', 'data-job', 'data-hash', 'data-project'];
  const isForm = after.tag === 'form' || after.tag === 'details' || after.tag === 'article';
  return !isForm || names.every((name) => before.attrs[name] === after.attrs[name]);
}

/** @type {(child: Tree | string) => Node} */
function made(child) {
  if (typeof child === 'string') return document.createTextNode(child);
  const space = svgTags.includes(child.tag) ? 'http://www.w3.org/2000/svg' : 'http://www.w3.org/1999/xhtml';
  const element = document.createElementNS(space, child.tag);
  for (const [name, value] of Object.entries(child.attrs)) element.setAttribute(name, value);
  element.append(...child.children.map(made));
  madeFrom.set(element, child);
  return element;
}
