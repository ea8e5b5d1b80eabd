// Reads a five-field cron expression into sets of numbers, or says in a sentence what is wrong with it.
// What would only surprise at night is a fault: dates that never come, ranges that run backwards, both kinds of day.

/** A cron expression as the minutes, hours and days it names. Days of the week count from 0 = Sunday. */
export interface Cron {
  /** Ascending. */
  readonly minutes: readonly number[];
  /** Ascending. */
  readonly hours: readonly number[];
  readonly daysOfMonth: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly daysOfWeek: ReadonlySet<number>;
  /**
   * Whether the hour field is a fixed time of day (`2`, `1-5`, `8,20`) or a wildcard: an item that starts with `*`
   * (as Vixie cron has it), or every hour named. Only fixed hours are moved or held back when clocks change.
   */
  readonly fixedHour: boolean;
}

/** Either the expression, or one sentence that says what is wrong with it. */
export type CronReading = { readonly ok: true; readonly cron: Cron } | { readonly ok: false; readonly fault: string };

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names: readonly string[];
}

const minute: Field = { name: 'minute', min: 0, max: 59, names: [] };
const hour: Field = { name: 'hour', min: 0, max: 23, names: [] };
const dayOfMonth: Field = { name: 'day of month', min: 1, max: 31, names: [] };
const month: Field = {
  name: 'month',
  min: 1,
  max: 12,
  names: ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'],
};
/** 7 is Sunday again, so that `5-7` and `FRI-SUN` can be written; it becomes 0 after reading. */
const dayOfWeek: Field = {
  name: 'day of week',
  min: 0,
  max: 7,
  names: ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'],
};

/** The most days that each month can have, January first. */
const longestMonths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Reads `minute hour day-of-month month day-of-week`; never throws. */
export function parseCron(text: string): CronReading {
  const fields = text.trim().split(/\s+/);
  const [minuteText, hourText, dayText, monthText, weekdayText, ...more] = fields;
  if (!minuteText || !hourText || !dayText || !monthText || !weekdayText || more.length > 0) {
    return fault(`five fields are needed (minute hour day-of-month month day-of-week), not ${countFields(text)}`);
  }
  try {
    const daysOfWeek = readField(dayOfWeek, weekdayText).map((day) => day % 7);
    const cron: Cron = {
      minutes: readField(minute, minuteText),
      hours: readField(hour, hourText),
      daysOfMonth: new Set(readField(dayOfMonth, dayText)),
      months: new Set(readField(month, monthText)),
      daysOfWeek: new Set(daysOfWeek),
      fixedHour: isFixedHour(hourText),
    };
    const dates = dayText !== '*' && weekdayText !== '*' ? bothDays : faultOfDates(cron);
    return dates === null ? { ok: true, cron } : fault(dates);
  } catch (error) {
    if (error instanceof FieldFault) return fault(error.message);
    throw error;
  }
}

const bothDays =
  'day of month and day of week are both set, which crons read differently (either, or both at once); set one and leave the other *';

/** Carries a field's fault out of the nested readers; never leaves this file. */
class FieldFault extends Error {}

function fault(sentence: string): CronReading {
  return { ok: false, fault: sentence };
}

function countFields(text: string): number {
  return text.trim() === '' ? 0 : text.trim().split(/\s+/).length;
}

function isFixedHour(text: string): boolean {
  if (text.split(',').some((item) => item.startsWith('*'))) return false;
  return readField(hour, text).length <= hour.max - hour.min;
}

/** Every number that a field names, ascending and distinct. */
function readField(field: Field, text: string): readonly number[] {
  const numbers = text.split(',').flatMap((item) => readItem(field, item));
  return [...new Set(numbers)].sort((a, b) => a - b);
}

function readItem(field: Field, item: string): readonly number[] {
  const [rangeText = '', stepText, ...more] = item.split('/');
  if (item === '' || more.length > 0) throw new FieldFault(`${field.name}: "${item}" is not a number, range or step`);
  const range = readRange(field, rangeText);
  if (stepText === undefined) return count(range.from, range.to, 1);
  if (!range.several) throw new FieldFault(`${field.name}: the step in "${item}" needs a range or * before the /`);
  return count(range.from, range.to, readStep(field, stepText));
}

function readRange(
  field: Field,
  text: string,
): { readonly from: number; readonly to: number; readonly several: boolean } {
  if (text === '*') return { from: field.min, to: field.max, several: true };
  const [fromText = '', toText, ...more] = text.split('-');
  if (more.length > 0) throw new FieldFault(`${field.name}: "${text}" is not a number or range`);
  const from = readNumber(field, fromText);
  if (toText === undefined) return { from, to: from, several: false };
  const end = readNumber(field, toText);
  // FRI-SUN means what it says, although Sunday is also the first day.
  const to = field === dayOfWeek && end === 0 && from > 0 ? 7 : end;
  if (to < from) throw new FieldFault(`${field.name}: the range ${text} runs backwards; write it as two ranges`);
  return { from, to, several: true };
}

function readNumber(field: Field, text: string): number {
  const named = field.names.indexOf(text.toUpperCase());
  if (named >= 0) return named + field.min;
  const number = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= field.min && number <= field.max) return number;
  const names = field.names.length > 0 ? ` or ${field.names[0]}-${field.names.at(-1)}` : '';
  throw new FieldFault(`${field.name}: "${text}" is not a number from ${field.min} to ${field.max}${names}`);
}

function readStep(field: Field, text: string): number {
  const step = /^\d{1,2}$/.test(text) ? Number(text) : 0;
  if (step >= 1 && step <= field.max) return step;
  // A step beyond the field (`*/90` minutes) would fire once an hour, which is not what was meant.
  throw new FieldFault(`${field.name}: the step "${text}" is not a number from 1 to ${field.max}`);
}

function count(from: number, to: number, step: number): readonly number[] {
  const numbers: number[] = [];
  for (let number = from; number <= to; number += step) numbers.push(number);
  return numbers;
}

/** A date that no year has (30 February, 31 April) would be a job that never runs. */
function faultOfDates(cron: Cron): string | null {
  const first = Math.min(...cron.daysOfMonth);
  const possible = [...cron.months].some((number) => first <= (longestMonths[number - 1] ?? 0));
  return possible ? null : `day ${first} never comes in the months named, so the job would never run`;
}
