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

/** @type {(parent: Element, children: readonly (Tree | string)[]) => void} */
function setChildren(parent, children) {
  children.forEach((child, at) => {
    const there = parent.childNodes[at];
    if (there === undefined) parent.append(made(child));
    else if (!changed(there, child)) there.replaceWith(made(child));
  });
  while (parent.childNodes.length > children.length) parent.lastChild?.remove();
}

/** Whether a node could be made into the child. @type {(node: Node, child: Tree | string) => boolean} */
function changed(node, child) {
  if (typeof child === 'string') return changedText(node, child);
  const before = madeFrom.get(node);
  if (!(node instanceof Element) || before?.tag !== child.tag || !isSameForm(before, child)) return false;
  for (const name of Object.keys(before.attrs)) if (!(name in child.attrs)) node.removeAttribute(name);
  for (const [name, value] of Object.entries(child.attrs)) {
    if (before.attrs[name] !== value) node.setAttribute(name, value);
  }
  madeFrom.set(node, child);
  setChildren(node, child.children);
  return true;
}

/** @type {(node: Node, text: string) => boolean} */
function changedText(node, text) {
  if (node.nodeType !== Node.TEXT_NODE) return false;
  if (node.nodeValue !== text) node.nodeValue = text;
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
