/** The words about zooming. */
export const NEARER = 'Zoom in';
export const FURTHER = 'Zoom out';
export const WHOLE = 'Whole picture';
export const HELP =
  'Plus and minus zoom into photo and drawing together. Zero shows all of both. Arrow keys move what is enlarged.';

/** "2.5 ×" */
export function level(zoom: number): string {
  return `${zoom.toFixed(1)} ×`;
}
