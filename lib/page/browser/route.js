// Which view is asked for: the part of the address behind `#`, which never leaves the browser. No token is ever in it.

/** @import { Filter } from '../views/runs.js' */

/** @typedef {{kind: 'runs', filter: Filter} | {kind: 'run', name: string} | {kind: 'jobs'} | {kind: 'job', name: string} | {kind: 'pause'}} Route */

/** The view of a hash; the list of runs for one that is none of ours. @type {(hash: string) => Route} */
export function routeOf(hash) {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [kind, name] = path.split('/').map(decoded);
  if (kind === 'runs' && name) return { kind: 'run', name };
  if (kind === 'jobs') return name ? { kind: 'job', name } : { kind };
  if (kind === 'pause') return { kind };
  const given = new URLSearchParams(query);
  const filter = (/** @type {string} */ key) => given.get(key) ?? '';
  return { kind: 'runs', filter: { job: filter('job'), status: filter('status'), cursor: filter('cursor') } };
}

/** @type {(part: string) => string} */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
