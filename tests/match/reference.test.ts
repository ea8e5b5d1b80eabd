// Which instance an alert means: where the alert names it, by what, and which one of the fleet that is.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { instanceOf, type Naming, type Referable, resolveReference } from '../../lib/match/reference.ts';

const id = '0a1b2c3d-0000-4000-8000-00000000000a';

function naming(places: Partial<Naming>): Naming {
  return { labels: {}, annotations: {}, dimensions: {}, ...places };
}

describe('instanceOf', () => {
  it.each([
    [id, { by: 'id', value: id }],
    [` ${id.toUpperCase()} `, { by: 'id', value: id }],
    ['dcs-orders', { by: 'name', value: 'dcs-orders' }],
    ['Orders_01', { by: 'name', value: 'Orders_01' }],
    ['two words', { by: 'name', value: 'two words' }],
    ['orders:nonsense', { by: 'name', value: 'orders:nonsense' }],
    ['192.168.0.14', { by: 'address', value: '192.168.0.14', port: null }],
    ['192.168.0.14:6379', { by: 'address', value: '192.168.0.14', port: 6379 }],
    ['redis-0A1b.dcs.example.com', { by: 'address', value: 'redis-0a1b.dcs.example.com', port: null }],
    ['redis-0a1b.dcs.example.com:6380', { by: 'address', value: 'redis-0a1b.dcs.example.com', port: 6380 }],
    ['orders:6379', { by: 'address', value: 'orders', port: 6379 }],
    ['redis://192.168.0.14:6379', { by: 'address', value: '192.168.0.14', port: 6379 }],
    ['rediss://user:secret@Orders:6379/0', { by: 'address', value: 'orders', port: 6379 }],
    ['redis://user:s@cret@orders:6379', { by: 'address', value: 'orders', port: 6379 }],
    ['redis://orders', { by: 'address', value: 'orders', port: null }],
    ['FD00::1', { by: 'address', value: 'fd00::1', port: null }],
    ['[fd00::1]:6379', { by: 'address', value: 'fd00::1', port: 6379 }],
  ])('reads %j', (text, expected) => {
    expect(instanceOf(naming({ labels: { instance: text } }), 'instance')).toEqual(expected);
  });

  it.each([
    ['the label', { labels: { i: 'aaaa' }, annotations: { i: 'bbbb' }, dimensions: { i: 'cccc' } }, 'aaaa'],
    ['the annotation', { labels: { i: ' ' }, annotations: { i: 'bbbb' }, dimensions: { i: 'cccc' } }, 'bbbb'],
    ['the dimension', { annotations: { other: 'bbbb' }, dimensions: { i: 'cccc' } }, 'cccc'],
  ])('takes %s first', (_, places, value) => {
    expect(instanceOf(naming(places), 'i')).toEqual({ by: 'name', value });
  });

  it('finds nothing where nothing is named, and no members that every object has', () => {
    expect(instanceOf(naming({ labels: { other: 'x' } }), 'i')).toBeNull();
    expect(instanceOf(naming({}), 'constructor')).toBeNull();
  });

  it('takes no text for a name that is longer than any name', () => {
    expect(instanceOf(naming({ labels: { i: 'x'.repeat(253) } }), 'i')).toEqual({ by: 'name', value: 'x'.repeat(253) });
    expect(instanceOf(naming({ labels: { i: 'x'.repeat(254) } }), 'i')).toBeNull();
    expect(instanceOf(naming({ labels: { i: `redis://u:${'p'.repeat(254)}@orders:6379` } }), 'i')).toMatchObject({
      value: 'orders',
    });
  });

  it('reads any text, and shows no secret of an address', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const found = instanceOf(naming({ labels: { i: text } }), 'i');

        expect(found === null).toBe(text.trim() === '');
      }),
    );
    expect(JSON.stringify(instanceOf(naming({ labels: { i: 'redis://u:hush@h:1/0' } }), 'i'))).not.toContain('hush');
  });
});

describe('resolveReference', () => {
  const instance = (more: Partial<Referable>): Referable => ({
    id,
    name: 'orders',
    addresses: [],
    port: 6379,
    ...more,
  });
  const fleet = [
    instance({ id: 'a', name: 'orders', addresses: ['10.0.0.1', '10.0.0.2', 'orders.example.com'] }),
    instance({ id: 'b', name: 'carts', addresses: ['10.0.0.3'], port: null }),
    instance({ id: 'c', name: 'twin', addresses: ['10.0.0.4'] }),
    instance({ id: 'd', name: 'twin', addresses: ['10.0.0.4'], port: 6380 }),
  ];

  it.each([
    [{ by: 'id', value: 'b' }, 'b'],
    [{ by: 'name', value: 'carts' }, 'b'],
    [{ by: 'address', value: '10.0.0.2', port: null }, 'a'],
    [{ by: 'address', value: 'orders.example.com', port: 6379 }, 'a'],
    [{ by: 'address', value: '10.0.0.3', port: 7000 }, 'b'],
    [{ by: 'address', value: '10.0.0.4', port: 6380 }, 'd'],
  ] as const)('finds %j', (reference, expected) => {
    expect(resolveReference(reference, fleet)).toEqual({ id: expected });
  });

  it.each([
    [{ by: 'id', value: 'x' }, 'instance_unknown', 'no instance has the id "x"'],
    [{ by: 'name', value: 'Carts' }, 'instance_unknown', 'no instance has the name "Carts"'],
    [{ by: 'name', value: 'twin' }, 'instance_ambiguous', '2 instances have the name "twin"'],
    [{ by: 'address', value: '10.0.0.4', port: null }, 'instance_ambiguous', '2 instances have the address "10.0.0.4"'],
    [
      { by: 'address', value: '10.0.0.1', port: 9121 },
      'instance_unknown',
      'no instance has the address "10.0.0.1:9121"',
    ],
    [{ by: 'address', value: '10.0.0', port: null }, 'instance_unknown', 'no instance has the address "10.0.0"'],
  ] as const)('finds nobody for %j: %s', (reference, code, reason) => {
    expect(resolveReference(reference, fleet)).toEqual({ code, reason });
  });
});
