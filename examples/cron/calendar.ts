/**
 * Times given as `minute hour day month weekday`, as in a crontab, in UTC: `0 3 * * *` is every night at
 * three. A part is `*`, numbers, ranges (`1-5`), lists (`0,30`) or steps (`0-59/15`, or short `*` `/15`).
 * Where both day and weekday are given, a day that fits either of them counts.
 */
export interface Calendar {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly days: readonly number[];
  readonly months: readonly number[];
  /** 0 is Sunday. */
  readonly weekdays: readonly number[];
  readonly isEitherDay: boolean;
}

const parts = [
  { name: "minute", least: 0, most: 59 },
  { name: "hour", least: 0, most: 23 },
  { name: "day", least: 1, most: 31 },
  { name: "month", least: 1, most: 12 },
  { name: "weekday", least: 0, most: 6 },
] as const;

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
/** So far apart are two days of 29 February at most. */
const daysMax = 8 * 366;

/** @throws RangeError that says which part cannot be read */
export function readCalendar(text: string): Calendar {
  const words = text.trim().split(/\s+/);
  if (words.length !== parts.length) {
    throw new RangeError(`"${text}" needs five parts: minute hour day month weekday`);
  }
  const [minutes = [], hours = [], days = [], months = [], weekdays = []] = words.map(numbersOf);
  const [, , day, , weekday] = words;
  const isEitherDay = day !== "*" && weekday !== "*";
  return { minutes, hours, days, months, weekdays, isEitherDay };
}

/** The first time after `after` that fits, in milliseconds since the epoch; `undefined`: there is none. */
export function nextTime(calendar: Calendar, after: number): number | undefined {
  const firstDay = Math.floor(after / dayMs) * dayMs;
  for (let day = 0; day < daysMax; day += 1) {
    const midnight = firstDay + day * dayMs;
    if (!fitsDay(calendar, new Date(midnight))) continue;
    for (const hour of calendar.hours) {
      for (const minute of calendar.minutes) {
        const time = midnight + hour * hourMs + minute * minuteMs;
        if (time > after) return time;
      }
    }
  }
  return undefined;
}

function fitsDay({ days, months, weekdays, isEitherDay }: Calendar, date: Date): boolean {
  if (!months.includes(date.getUTCMonth() + 1)) return false;
  const fitsNumber = days.includes(date.getUTCDate());
  const fitsWeekday = weekdays.includes(date.getUTCDay());
  return isEitherDay ? fitsNumber || fitsWeekday : fitsNumber && fitsWeekday;
}

/** Ascending. */
function numbersOf(word: string, index: number): number[] {
  const numbers = new Set<number>();
  for (const item of word.split(",")) addItem(numbers, item, index);
  return [...numbers].sort((a, b) => a - b);
}

function addItem(numbers: Set<number>, item: string, index: number): void {
  const { name, least, most } = parts[index]!;
  const match = /^(?:\*|(\d+)(?:-(\d+))?)(?:\/(\d+))?$/.exec(item);
  if (match === null) throw new RangeError(`"${item}" is no ${name}`);
  const [, from, to, step = "1"] = match;
  const first = from === undefined ? least : Number(from);
  const last = from === undefined ? most : Number(to ?? from);
  const isInside = first >= least && last <= most && first <= last && Number(step) > 0;
  if (!isInside) throw new RangeError(`"${item}" is no ${name}: ${least} to ${most}`);
  for (let number = first; number <= last; number += Number(step)) numbers.add(number);
}
