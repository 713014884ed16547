import { fixed, formatBytes, formatSeconds, type TimeUnits } from '../../lib/format';

/** Numbers as a language writes them. */
export function numbersIn(language: string, units: TimeUnits) {
  return {
    bytes: (count: number) => formatBytes(count, language),
    seconds: (ms: number) => formatSeconds(ms, language, units),
    fixed: (value: number, decimals: number) => fixed(value, decimals, language),
  };
}
