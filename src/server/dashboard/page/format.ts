const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

export function bytesText(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  const scaled = bytes / 1024 ** power;
  return `${scaled >= 100 ? Math.round(scaled) : Number(scaled.toFixed(1))} ${UNITS[power]}`;
}

export const numberText = (value: number): string => value.toLocaleString('en');

export function secondsText(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds === 0) return '0 s';
  const [scaled, unit] =
    seconds < 0.001 ? [1e6 * seconds, 'µs'] : seconds < 1 ? [1000 * seconds, 'ms'] : [seconds, 's'];
  return `${Number(scaled.toPrecision(3))} ${unit}`;
}

export const percentText = (share: number, digits = 1): string =>
  `${(100 * share).toFixed(digits)} %`;

/** A number in so few characters that it fits beside an axis. */
export function shortText(value: number): string {
  if (value !== 0 && Math.abs(value) < 0.01) return value.toExponential(0);
  return Number(value.toPrecision(3)).toLocaleString('en', {
    notation: 'compact',
    maximumFractionDigits: 2,
  });
}
