/** The units of time, as a language writes them behind a number. */
export interface TimeUnits {
  readonly seconds: string;
  readonly minutes: string;
}

const ENGLISH: TimeUnits = { seconds: ' s', minutes: ' min' };

/** Bytes in decimal units, as browsers and systems show downloads: "4.5 MB". */
export function formatBytes(bytes: number, language = 'en'): string {
  if (bytes < 1e3) return `${bytes} B`;
  const [unit, size] = bytes < 1e6 ? ['kB', bytes / 1e3] : bytes < 1e9 ? ['MB', bytes / 1e6] : ['GB', bytes / 1e9];
  return `${fixed(size, size < 10 ? 1 : 0, language)} ${unit}`;
}

/** A duration to two digits, at least a tenth of a second: "0.4 s", "12 s", "3 min". */
export function formatSeconds(ms: number, language = 'en', units = ENGLISH): string {
  const seconds = ms / 1000;
  if (seconds < 9.95) return `${fixed(Math.max(0.1, seconds), 1, language)}${units.seconds}`;
  if (seconds < 99.5) return `${Math.round(seconds)}${units.seconds}`;
  return `${Math.round(seconds / 60)}${units.minutes}`;
}

/** A number with so many decimals, as a language writes it. */
export function fixed(value: number, decimals: number, language = 'en'): string {
  return value.toLocaleString(language, {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
    useGrouping: false,
  });
}
