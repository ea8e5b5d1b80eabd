// Which instance an alert means: rules and exporters name it by its id, by its name or by the address that clients
// connect to. What is named is read out of the alert alone; which instance that is can only be told from the fleet.

import type { Alert } from '../alert.ts';

/** Where an alert may name its instance. */
export type Naming = Pick<Alert, 'labels' | 'annotations' | 'dimensions'>;

/** An id in lower case, a name as it stands, or an address in lower case. */
export type InstanceReference =
  | { readonly by: 'id' | 'name'; readonly value: string }
  | { readonly by: 'address'; readonly value: string; readonly port: number | null };

type Address = Extract<InstanceReference, { by: 'address' }>;

/** What of a listed instance a reference is compared with. */
export interface Referable {
  /** Lower case. */
  readonly id: string;
  readonly name: string;
  /** IP addresses and domain names under which clients connect, in lower case. */
  readonly addresses: readonly string[];
  /** null where it was not told. */
  readonly port: number | null;
}

/** The instance that a reference means, or why there is none. */
export type Resolved =
  | { readonly id: string }
  | { readonly code: 'instance_unknown' | 'instance_ambiguous'; readonly reason: string };

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** A domain name has no more characters than this, and no name of an instance comes near; what is stored by it has its limits. */
const longestName = 253;
/** `redis://user:secret@host:6379/0`, as exporters write it; user and secret are left out. */
const url = /^rediss?:\/\/(?:[^/]*@)?([^/]+)/i;
const hostAndPort = /^(\[[0-9a-f:.]+\]|[^\s:/[\]]+)(?::(\d{1,5}))?$/i;
const bareIpv6 = /^(?=.*:.*:)[0-9a-f:.]+$/i;

/**
 * What the alert names under `key`: its label of that name, else its annotation, else its dimension; null for none, and
 * for a text that is too long to name anything.
 * A UUID is an id. Addresses have a dot, a port or a colon; names of DCS instances are letters, digits, `_` and `-`
 * (https://support.huaweicloud.com/intl/en-us/api-dcs/CreateInstance.html).
 */
export function instanceOf(alert: Naming, key: string): InstanceReference | null {
  for (const place of [alert.labels, alert.annotations, alert.dimensions]) {
    const text = Object.hasOwn(place, key) ? (place[key] ?? '').trim() : '';
    if (text !== '') return short(referenceOf(text));
  }
  return null;
}

/**
 * The one instance of the fleet that is meant. A port that differs from the known one is somebody else's: private
 * addresses repeat from one network to the next.
 */
export function resolveReference(reference: InstanceReference, fleet: readonly Referable[]): Resolved {
  const meant = fleet.filter((instance) => isMeant(reference, instance));
  const [first] = meant;
  const shown = `the ${reference.by} ${JSON.stringify(textOf(reference))}`;
  if (first === undefined) return { code: 'instance_unknown', reason: `no instance has ${shown}` };
  if (meant.length === 1) return { id: first.id };
  return { code: 'instance_ambiguous', reason: `${meant.length} instances have ${shown}` };
}

function short(reference: InstanceReference): InstanceReference | null {
  return reference.value.length > longestName ? null : reference;
}

function referenceOf(text: string): InstanceReference {
  if (uuid.test(text)) return { by: 'id', value: text.toLowerCase() };
  const inUrl = url.exec(text)?.[1];
  return addressOf(inUrl ?? text, inUrl !== undefined) ?? { by: 'name', value: text };
}

function addressOf(text: string, isUrl: boolean): Address | null {
  if (bareIpv6.test(text)) return { by: 'address', value: text.toLowerCase(), port: null };
  const [, host = '', port] = hostAndPort.exec(text) ?? [];
  if (host === '' || !(isUrl || port !== undefined || /[.:]/.test(host))) return null;
  const value = host.replace(/^\[|\]$/g, '').toLowerCase();
  return { by: 'address', value, port: port === undefined ? null : Number(port) };
}

function textOf(reference: InstanceReference): string {
  const { value } = reference;
  return reference.by === 'address' && reference.port !== null ? `${value}:${reference.port}` : value;
}

function isMeant(reference: InstanceReference, instance: Referable): boolean {
  if (reference.by !== 'address') return instance[reference.by] === reference.value;
  const { value, port } = reference;
  return instance.addresses.includes(value) && (port === null || instance.port === null || port === instance.port);
}
