import type { Point } from './pane';

/** What gestures do. Points and distances are in shares of the sheet's sides. */
export interface Actions {
  isOn(): boolean;
  isEnlarged(): boolean;
  /** Two fingers are down: what one of them did before is to be undone. */
  pinchBegins(): void;
  zoomBy(factor: number, at: Point): void;
  moveBy(dx: number, dy: number): void;
  /** A double tap. */
  toggle(at: Point): void;
}

/** A finger that moves less than this has not moved, in pixels. */
const STILL = 8;
/** Two taps in this time are a double tap, if they are this near to each other. */
export const DOUBLE_MS = 350;
const DOUBLE_PIXELS = 30;
/** While the page scrolls, the wheel goes on scrolling, also where a sheet comes below the pointer. */
const SCROLLING_MS = 400;
/** A turn of the wheel by 100 pixels enlarges by a fifth; pinching a touchpad sends smaller steps. */
const [WHEEL, TOUCHPAD] = [0.002, 0.01];
const LINE_PIXELS = 16;

interface Finger {
  readonly from: Point;
  readonly since: number;
  at: Point;
}

/** Listens to wheel, fingers and mouse on a sheet. Dragging moves what is enlarged, unless it begins on one of the `kept` elements. */
export function listenForGestures(sheet: HTMLElement, kept: string, act: Actions): void {
  const fingers = new Map<number, Finger>();
  let tapped: { readonly at: Point; readonly time: number } | undefined;
  let scrolled = -Infinity;

  const shareOf = ({ x, y }: Point): Point => {
    const { left, top, width, height } = sheet.getBoundingClientRect();
    return { x: (x - left) / width, y: (y - top) / height };
  };
  const move = (dx: number, dy: number) => {
    const { width, height } = sheet.getBoundingClientRect();
    act.moveBy(dx / width, dy / height);
  };

  sheet.addEventListener('pointerdown', (event) => {
    if (!act.isOn() || event.button !== 0) return;
    const at = { x: event.clientX, y: event.clientY };
    const second = [...fingers.keys()].some((id) => id !== event.pointerId);
    const holds = event.target instanceof Element && event.target.closest(kept) !== null;
    if (second || (act.isEnlarged() && !holds)) sheet.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, { from: at, since: event.timeStamp, at });
    if (second) act.pinchBegins();
  });

  sheet.addEventListener('pointermove', (event) => {
    const finger = fingers.get(event.pointerId);
    if (finger === undefined) return;
    const at = { x: event.clientX, y: event.clientY };
    const [before, other] = [finger.at, [...fingers].find(([id]) => id !== event.pointerId)?.[1]];
    finger.at = at;
    if (other !== undefined) {
      const ratio = distance(at, other.at) / Math.max(1, distance(before, other.at));
      move((at.x - before.x) / 2, (at.y - before.y) / 2);
      act.zoomBy(ratio, shareOf({ x: (at.x + other.at.x) / 2, y: (at.y + other.at.y) / 2 }));
    } else if (sheet.hasPointerCapture(event.pointerId)) move(at.x - before.x, at.y - before.y);
  });

  const end = (event: PointerEvent) => {
    const finger = fingers.get(event.pointerId);
    const alone = fingers.size === 1;
    fingers.delete(event.pointerId);
    if (finger === undefined || event.type !== 'pointerup' || !alone) return;
    const { from, at, since } = finger;
    if (distance(from, at) > STILL || event.timeStamp - since > DOUBLE_MS) return;
    const again =
      tapped !== undefined && event.timeStamp - tapped.time < DOUBLE_MS && distance(tapped.at, at) < DOUBLE_PIXELS;
    tapped = again ? undefined : { at, time: event.timeStamp };
    if (again) act.toggle(shareOf(at));
  };
  sheet.addEventListener('pointerup', end);
  sheet.addEventListener('pointercancel', end);

  // Two fingers would scroll the page, and move the slider below them.
  const hold = (event: TouchEvent) => {
    if (act.isOn() && event.touches.length > 1) event.preventDefault();
  };
  sheet.addEventListener('touchstart', hold, { passive: false });
  sheet.addEventListener('touchmove', hold, { passive: false });

  document.addEventListener('scroll', ({ timeStamp }) => (scrolled = timeStamp), { passive: true });
  sheet.addEventListener(
    'wheel',
    (event) => {
      const { deltaY, deltaMode, ctrlKey, timeStamp } = event;
      if (!act.isOn() || deltaY === 0) return;
      const outwards = deltaY > 0;
      if (!ctrlKey && !act.isEnlarged() && (outwards || timeStamp - scrolled < SCROLLING_MS)) return;
      event.preventDefault();
      const pixels = deltaMode === WheelEvent.DOM_DELTA_LINE ? deltaY * LINE_PIXELS : deltaY;
      act.zoomBy(Math.exp(-pixels * (ctrlKey ? TOUCHPAD : WHEEL)), shareOf({ x: event.clientX, y: event.clientY }));
    },
    { passive: false },
  );
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
