// What Cloud Eye may write into a message, member by member, and which messages belong to one episode.

import { describe, expect, it } from '@jest/globals';
import * as v from 'valibot';
import type { Alert } from '../../lib/alert.ts';
import { cloudEyeAlert } from '../../lib/alerts/cloud-eye.ts';
import { bodyOf } from '../support/alert-world.ts';

const around = { messageId: 'm-1', region: 'eu-de' };
const objects = v.record(v.string(), v.unknown());

function alarm(change: Readonly<Record<string, unknown>> = {}, template: Readonly<Record<string, unknown>> = {}) {
  const written = v.parse(objects, JSON.parse(String(bodyOf('smn-ces-alarm-dcs')['message'])));
  const about = { ...v.parse(objects, written['template_variable']), ...template };
  return cloudEyeAlert(JSON.stringify({ ...written, template_variable: about, ...change }), around);
}

function alert(...args: Parameters<typeof alarm>): Alert {
  const read = alarm(...args);
  if ('code' in read) throw new Error(read.reason);
  return read;
}

describe('an alarm of Cloud Eye', () => {
  it.each([
    ['alarm', 'firing'],
    ['ok', 'resolved'],
    ['insufficient_data', 'unclear'],
    ['invalid', 'unclear'],
    ['toString', 'unclear'],
    ['', 'unclear'],
  ])('with the status %p is %s', (alarm_status, status) => {
    expect(alert({ alarm_status }).status).toBe(status);
  });

  it.each([
    ['Critical', 'critical'],
    ['Informational', 'informational'],
    [2, 'major'],
    ['3', 'minor'],
    ['toString', 'tostring'],
    ['', undefined],
    [{}, undefined],
    [undefined, undefined],
  ])('of the level %p has the severity %p', (AlarmLevel, severity) => {
    const read = alert({}, { AlarmLevel });

    expect([read.severity, read.labels['severity']]).toEqual([severity, severity]);
  });

  it.each<[string, Record<string, string>]>([
    ['dcs_instance_id:a', { dcs_instance_id: 'a' }],
    ['dcs_instance_id:a,dcs_cluster_redis_node:b', { dcs_instance_id: 'a', dcs_cluster_redis_node: 'b' }],
    [' dcs_instance_id : a , x:y:z', { dcs_instance_id: 'a', x: 'y:z' }],
    ['dcs_instance_id:a,dcs_instance_id:a', { dcs_instance_id: 'a' }],
    ['dcs_instance_id:a,dcs_instance_id:b,x:c', { x: 'c' }],
    ['dcs_instance_id:,:a,nothing,,', {}],
    ['', {}],
  ])('with the dimension %p is about %p', (dimension, dimensions) => {
    expect(alert({ dimension }).dimensions).toEqual(dimensions);
  });

  it('keeps its own labels against a dimension of the same name', () => {
    const { labels } = alert({ dimension: 'alertname:x,region:y,dcs_instance_id:z' });

    expect(labels).toMatchObject({ alertname: 'dcs-redis-memory-high', region: 'eu-de', dcs_instance_id: 'z' });
  });

  it('is readable without what is only for people', () => {
    const bare = { template_variable: undefined, alarmValue: undefined, unit: undefined, default_content: undefined };

    const read = alert({ ...bare, namespace: undefined });

    expect(read.labels).toEqual({
      alertname: 'dcs-redis-memory-high',
      rule: 'dcs-redis-memory-high',
      metric: 'memory_usage',
      region: 'eu-de',
      dcs_instance_id: '2e803f66-fbb0-47ad-b6cb-fb87f5bed4ef',
    });
    expect(read).not.toHaveProperty('value');
  });

  it.each([
    ['message_type', 'event'],
    ['alarm_id', ''],
    ['alarm_id', undefined],
    ['alarm_name', 7],
    ['alarm_status', undefined],
    ['time', '2026-11-23'],
    ['time', 1795441020],
    ['time', 1e300],
    ['time', undefined],
    ['dimension', 'x'.repeat(4097)],
  ])('is none when its %s is %p', (member, value) => {
    expect(alarm({ [member]: value })).toEqual({
      alert: 'm-1',
      code: 'not_an_alarm',
      reason: `the message is no alarm of Cloud Eye: ${member} is missing or not as expected`,
    });
  });

  it.each([
    ['restart nightly', 'plain_text'],
    ['', 'plain_text'],
    ['"alarm"', 'plain_text'],
    ['17', 'plain_text'],
    ['null', 'plain_text'],
    ['{"message_type":', 'plain_text'],
    ['{}', 'not_an_alarm'],
    ['[]', 'not_an_alarm'],
    ['['.repeat(50_000) + ']'.repeat(50_000), 'not_an_alarm'],
  ])('is none in %p', (text, code) => {
    expect(cloudEyeAlert(text, around)).toMatchObject({ code });
  });
});

describe('an episode of Cloud Eye', () => {
  it('goes on when the alarm is notified again, with a later time', () => {
    const [first, again] = [alert(), alert({ time: 1795441320000, alarmValue: [] })];

    expect(again.fingerprint).toBe(first.fingerprint);
    expect([first.startKnown, again.startKnown]).toEqual([false, false]);
  });

  it('is the same whatever the order of the dimensions is', () => {
    expect(alert({ dimension: 'a:1,b:2' }).fingerprint).toBe(alert({ dimension: 'b:2,a:1' }).fingerprint);
  });

  it.each([
    ['rule', { alarm_id: 'al2' }],
    ['metric', { metric_name: 'cpu_usage' }],
    ['instance', { dimension: 'dcs_instance_id:another' }],
  ])('is another one for another %s', (_, change) => {
    expect(alert(change).fingerprint).not.toBe(alert().fingerprint);
  });

  it('without dimensions is about the resource', () => {
    const [one, two] = ['one', 'two'].map((ResourceId) => alert({ dimension: '' }, { ResourceId }));

    expect(one?.fingerprint).not.toBe(two?.fingerprint);
    expect(one?.labels['resource_id']).toBe('one');
  });

  it('of an event begins with each event', () => {
    const event = alert({}, { EventContent: 'The Redis server status was abnormal.' });

    expect([event.startKnown, event.startsAt]).toEqual([true, '2026-11-23T13:37:00.000Z']);
  });

  it.each([
    ['redisNodeStatusNormal', 'redisNodeStatusAbnormal'],
    ['memcachedInstanceStatusNormal', 'memcachedInstanceStatusAbnormal'],
  ])('ends with the event %s when it began with %s', (normal, abnormal) => {
    const about = { EventContent: 'x' };
    const [began, ended] = [alert({ metric_name: abnormal }, about), alert({ metric_name: normal }, about)];

    expect([began.status, ended.status]).toEqual(['firing', 'resolved']);
    expect(ended).toMatchObject({ fingerprint: began.fingerprint, metric: normal, startKnown: false });
  });
});
