const FORM =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:[Zz]|([+-])(\d\d)(?::?(\d\d))?)?)?$/;

const DAY_SECONDS = 86_400;

/**
 * Microseconds since 1970 of an instant as RFC 3339 writes it; a zone, seconds and the time of day
 * may be missing (UTC, 0) and a space may stand for the T. Undefined for any other text. Digits
 * beyond microseconds are dropped; before 1684 and after 2255 the result is rounded to 32 of them.
 */
export function parseInstant(text: string): number | undefined {
  const found = FORM.exec(text);
  if (found === null) return undefined;
  const field = (i: number) => Number(found[i] ?? 0);
  const [year, month, day] = [field(1), field(2), field(3)];
  const [hour, minute, second] = [field(4), field(5), field(6)];
  if (month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) return undefined;
  // A leap second is the first of the next minute.
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  const [zoneHour, zoneMinute] = [field(9), field(10)];
  if (zoneHour > 23 || zoneMinute > 59) return undefined;
  const zone = (zoneHour * 60 + zoneMinute) * (found[8] === '-' ? -60 : 60);
  const time = hour * 3600 + minute * 60 + second - zone;
  const micros = Number((found[7] ?? '').slice(0, 6).padEnd(6, '0'));
  return (daysSince1970(year, month, day) * DAY_SECONDS + time) * 1e6 + micros;
}

function daysOf(year: number, month: number): number {
  if (month !== 2) return [4, 6, 9, 11].includes(month) ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}

/** Date.UTC would take the years 0 to 99 for those of the twentieth century. */
function daysSince1970(year: number, month: number, day: number): number {
  return new Date(0).setUTCFullYear(year, month - 1, day) / (DAY_SECONDS * 1000);
}
