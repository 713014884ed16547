import { ENGINES_TIMED, type Row, spread } from './report';

/**
 * One row as the words of its cells: first what fits on a phone. The third cell of an engine that was not timed says why,
 * in the place of four.
 */
export function cellsOf({ backend, threads, device, resolution, max_abs, frames_ms, problem }: Row): string[] {
  const on = device === 'processor' ? `, ${threads} ${threads === 1 ? 'thread' : 'threads'}` : '';
  const first = [ENGINES_TIMED[backend] + on, `${resolution}`];
  if (problem !== null) return [...first, problem, device];
  const { median, low, high } = spread(frames_ms);
  const away = max_abs === null ? '' : max_abs.toPrecision(1);
  return [...first, inMs(median), `${inMs(low)} to ${inMs(high)}`, `${frames_ms.length}`, away, device];
}

function inMs(time: number): string {
  return `${time.toFixed(time < 10 ? 1 : 0)} ms`;
}

/** A table's row. */
export function rowOf(row: Row): HTMLTableRowElement {
  const line = document.createElement('tr');
  line.append(
    ...cellsOf(row).map((text, index) => {
      const cell = document.createElement('td');
      cell.textContent = text;
      cell.classList.toggle('number', index > 0 && index < 6 && row.problem === null);
      if (index === 2 && row.problem !== null) cell.colSpan = 4;
      return cell;
    }),
  );
  return line;
}
