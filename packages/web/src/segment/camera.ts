// What part of a photograph is seen: a zoom, 1 where all of it fits, and the place in the middle of the pane.

/** Width and height. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** `x` and `y` are pixels of the photograph. */
export interface Camera {
  readonly zoom: number;
  readonly x: number;
  readonly y: number;
}

/** A pixel of the photograph is never drawn larger than this. */
const LARGEST_PIXEL = 48;

/** All of the photograph. */
export const whole = ({ width, height }: Size): Camera => ({ zoom: 1, x: width / 2, y: height / 2 });

/** Pixels of the pane for one of the photograph. */
export function scaleOf({ zoom }: Camera, photograph: Size, pane: Size): number {
  return zoom * Math.min(pane.width / photograph.width, pane.height / photograph.height);
}

/** Where the photograph's left top corner lies in the pane. */
export function cornerOf(camera: Camera, photograph: Size, pane: Size): { x: number; y: number } {
  const scale = scaleOf(camera, photograph, pane);
  return { x: pane.width / 2 - camera.x * scale, y: pane.height / 2 - camera.y * scale };
}

/** Keeps the photograph in the pane: no nearer than single pixels, no margin where there could be photograph. */
function hold(camera: Camera, photograph: Size, pane: Size): Camera {
  const fit = scaleOf({ ...camera, zoom: 1 }, photograph, pane);
  const zoom = Math.min(Math.max(camera.zoom, 1), Math.max(1, LARGEST_PIXEL / fit));
  const along = (at: number, size: number, paneSize: number) => {
    const half = paneSize / 2 / (fit * zoom);
    return 2 * half >= size ? size / 2 : Math.min(Math.max(at, half), size - half);
  };
  return {
    zoom,
    x: along(camera.x, photograph.width, pane.width),
    y: along(camera.y, photograph.height, pane.height),
  };
}

/** Moves the photograph by so many pixels of the pane. */
export function pan(camera: Camera, photograph: Size, pane: Size, dx: number, dy: number): Camera {
  const scale = scaleOf(camera, photograph, pane);
  return hold({ ...camera, x: camera.x - dx / scale, y: camera.y - dy / scale }, photograph, pane);
}

/** Zooms by a factor; what lies at `at` in the pane stays there. */
export function zoomBy(
  camera: Camera,
  photograph: Size,
  pane: Size,
  factor: number,
  at = { x: pane.width / 2, y: pane.height / 2 },
): Camera {
  const before = scaleOf(camera, photograph, pane);
  const { zoom } = hold({ ...camera, zoom: camera.zoom * factor }, photograph, pane);
  const after = (before / camera.zoom) * zoom;
  const shift = (offset: number) => offset / before - offset / after;
  const moved = {
    zoom,
    x: camera.x + shift(at.x - pane.width / 2),
    y: camera.y + shift(at.y - pane.height / 2),
  };
  return hold(moved, photograph, pane);
}
