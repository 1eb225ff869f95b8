// The stage: a canvas that a worker draws on, moved with pointer, wheel, fingers or keys.

import { effect, signal, useSignal } from "@preact/signals";
import { transfer } from "comlink";
import { ChevronLeft, ChevronRight, Maximize, ZoomIn, ZoomOut } from "lucide";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "../ui/icon.tsx";
import type { Point } from "./brush.ts";
import { type Camera, cornerOf, pan, type Size, scaleOf, whole, zoomBy } from "./camera.ts";
import { beginStroke, endStroke, goOn, isDrawing, undo } from "./correcting.ts";
import { items, notice, resultOf, selected } from "./items.ts";
import { isCorrecting, isOpening, look, shownMode, split } from "./look.ts";
import { step } from "./photograph-list.tsx";
import { foundOf } from "./saved.ts";
import { StageMessage } from "./stage-message.tsx";
import { view, viewStarted } from "./view.ts";
import type { Finding } from "./view.worker.ts";

const camera = signal<Camera>({ zoom: 1, x: 0, y: 0 });
/** Whether to say how the wheel zooms. */
const wheelHint = signal(false);
/** Of the photograph that is shown. */
const photograph = signal<Size>({ width: 1, height: 1 });
/** Of the stage, in CSS pixels. */
const stage = signal<Size>({ width: 1, height: 1 });
const paneOf = (): Size =>
  shownMode.value === "side" ? { ...stage.value, width: stage.value.width / 2 } : stage.value;

const KEY_STEP = 60;
const ZOOM_STEP = 1.5;
const HINT_MS = 1500;

function zoom(factor: number, at?: { x: number; y: number }): void {
  camera.value = zoomBy(camera.value, photograph.value, paneOf(), factor, at);
}

function move(dx: number, dy: number): void {
  camera.value = pan(camera.value, photograph.value, paneOf(), dx, dy);
}

function fit(): void {
  camera.value = whole(photograph.value);
}

/** Sends a value at most once a frame, the last one. */
function oncePerFrame<T>(send: (value: T) => void): (value: T) => void {
  let latest: T;
  let asked = false;
  return (value) => {
    latest = value;
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      send(latest);
    });
  };
}

/** What lies under the pointer. */
const finding = signal<Finding | undefined>(undefined);

/** The point of the photograph at a place of the pane. */
function pointAt(place: Point): Point {
  const corner = cornerOf(camera.value, photograph.value, paneOf());
  const scale = scaleOf(camera.value, photograph.value, paneOf());
  return { x: (place.x - corner.x) / scale, y: (place.y - corner.y) / scale };
}

const askAt = oncePerFrame((place: Point) => {
  const point = pointAt(place);
  const [x, y] = [point.x, point.y].map(Math.floor);
  void view.at(x, y).then((found) => {
    finding.value = found;
  });
});

/** Keeps the worker told of what is to be seen, and how. */
function tellView(): () => void {
  const sendViewport = oncePerFrame((viewport: Parameters<typeof view.setViewport>[0]) => {
    void view.setViewport(viewport);
  });
  const sendLook = oncePerFrame((next: Parameters<typeof view.setLook>[0]) => void view.setLook(next));
  let shown: unknown;
  const stops = [
    effect(() => sendLook(look.value)),
    effect(() => {
      const pane = paneOf();
      const ratio = devicePixelRatio;
      const corner = cornerOf(camera.value, photograph.value, pane);
      sendViewport({
        width: Math.round(stage.value.width * ratio),
        height: Math.round(stage.value.height * ratio),
        scale: scaleOf(camera.value, photograph.value, pane) * ratio,
        x: corner.x * ratio,
        y: corner.y * ratio,
        mode: shownMode.value,
        split: split.value / 1000,
      });
    }),
    effect(() => {
      const item = items.value && selected();
      const result = resultOf(item);
      const next = result ?? item?.size;
      if (shown === next) return;
      shown = next;
      if (item?.size === undefined) {
        void view.show(undefined);
        return;
      }
      const before = photograph.peek();
      if (item.size.width !== before.width || item.size.height !== before.height) {
        photograph.value = item.size;
        camera.value = whole(item.size);
      }
      isOpening.value = true;
      const { id, file } = item;
      // A later photograph may be on its way by then.
      void view.show({ id, file, found: result && foundOf(result) }).finally(() => {
        if (shown === next) isOpening.value = false;
      });
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

/** The stage with its buttons. */
export function Viewer() {
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const pointers = useRef(new Map<number, { x: number; y: number }>());
  const held = useSignal(false);

  useEffect(() => {
    const observer = new ResizeObserver(([{ contentRect }]) => {
      stage.value = { width: Math.max(1, contentRect.width), height: Math.max(1, contentRect.height) };
      camera.value = pan(camera.value, photograph.value, paneOf(), 0, 0);
    });
    observer.observe(frame.current!);
    let stopTelling = () => {};
    viewStarted.then(
      () => {
        const own = canvas.current!.transferControlToOffscreen();
        void view.attach(transfer(own, [own]));
        stopTelling = tellView();
      },
      ({ message }: Error) => {
        notice.value = `No photograph can be shown: ${message}. Loading the page again may help.`;
      },
    );
    // Whoever begins to draw is brought to the stage.
    const stopFocus = effect(() => {
      if (isCorrecting.value) canvas.current!.focus();
    });
    let hintTimer = 0;
    // The wheel alone scrolls the page; a pinch on a touchpad comes as a wheel with Ctrl. It must be heard before the
    // page scrolls, which JSX's listeners are not asked for.
    const onWheel = (event: WheelEvent) => {
      if (!event.ctrlKey && !event.metaKey) {
        wheelHint.value = true;
        clearTimeout(hintTimer);
        hintTimer = window.setTimeout(() => {
          wheelHint.value = false;
        }, HINT_MS);
        return;
      }
      event.preventDefault();
      wheelHint.value = false;
      zoom(Math.exp(-event.deltaY / 400), placeOf(event));
    };
    frame.current!.addEventListener("wheel", onWheel, { passive: false });
    return () => {
      stopTelling();
      stopFocus();
      observer.disconnect();
    };
  }, []);

  /** Where the pointer is in its pane. */
  const placeOf = ({ clientX, clientY }: { clientX: number; clientY: number }) => {
    const { left, top } = frame.current!.getBoundingClientRect();
    return { x: (clientX - left) % paneOf().width, y: clientY - top };
  };
  const onPointerDown = (event: PointerEvent) => {
    canvas.current!.setPointerCapture(event.pointerId);
    pointers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (isCorrecting.value && !event.shiftKey && event.button === 0 && pointers.current.size === 1) {
      beginStroke(pointAt(placeOf(event)));
      return;
    }
    // A second finger means to move, not to draw.
    if (isDrawing()) undo();
    held.value = true;
  };
  const onPointerMove = (event: PointerEvent) => {
    askAt(placeOf(event));
    const before = pointers.current.get(event.pointerId);
    if (before === undefined) return;
    const [x, y] = [event.clientX, event.clientY];
    if (isDrawing()) {
      // A quick hand makes several moves a frame.
      for (const each of event.getCoalescedEvents?.() ?? []) goOn(pointAt(placeOf(each)));
      goOn(pointAt(placeOf(event)));
      return;
    }
    const other = [...pointers.current].find(([id]) => id !== event.pointerId)?.[1];
    if (other === undefined) move(x - before.x, y - before.y);
    else {
      const middle = placeOf({ clientX: (x + other.x) / 2, clientY: (y + other.y) / 2 });
      const distance = (at: { x: number; y: number }) => Math.hypot(at.x - other.x, at.y - other.y);
      zoom(distance({ x, y }) / Math.max(1, distance(before)), middle);
      move((x - before.x) / 2, (y - before.y) / 2);
    }
    pointers.current.set(event.pointerId, { x, y });
  };
  const onPointerEnd = (event: PointerEvent) => {
    endStroke();
    pointers.current.delete(event.pointerId);
    held.value = pointers.current.size > 0;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (isCorrecting.value && event.key === "z" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      undo();
      return;
    }
    const act = {
      ArrowLeft: () => move(KEY_STEP, 0),
      ArrowRight: () => move(-KEY_STEP, 0),
      ArrowUp: () => move(0, KEY_STEP),
      ArrowDown: () => move(0, -KEY_STEP),
      "+": () => zoom(ZOOM_STEP),
      "=": () => zoom(ZOOM_STEP),
      "-": () => zoom(1 / ZOOM_STEP),
      "0": fit,
      PageUp: () => step(-1),
      PageDown: () => step(1),
      ...(isCorrecting.value && {
        " ": () => {
          beginStroke(camera.value);
          endStroke();
        },
      }),
    }[event.key];
    if (act === undefined || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    act();
  };

  const isCompared = shownMode.value === "compare" && selected()?.progress.kind === "done";
  return (
    <div class={`stage ${held.value ? "held" : ""} ${isCorrecting.value ? "drawing" : ""}`} ref={frame}>
      <canvas
        ref={canvas}
        class={camera.value.zoom > 1 ? "zoomed" : ""}
        tabIndex={0}
        role="img"
        aria-label="The photograph with the vessels that were found. Arrow keys move it, plus and minus zoom, zero shows all of it, page up and page down show another."
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onPointerUp={onPointerEnd}
        onPointerCancel={onPointerEnd}
        onPointerLeave={() => {
          finding.value = undefined;
        }}
        onKeyDown={onKeyDown}
        onDblClick={(event) => zoom(2, placeOf(event))}
      />
      {isCompared && (
        <>
          <div class="split-line" style={{ left: `${split.value / 10}%` }} />
          <input
            class="split"
            type="range"
            min={0}
            max={1000}
            value={split.value}
            aria-label="Where the photograph ends and the vessels begin"
            aria-valuetext={`${Math.round(split.value / 10)} %`}
            onInput={(event) => {
              split.value = event.currentTarget.valueAsNumber;
            }}
          />
        </>
      )}
      <StageName />
      <div class="stage-buttons">
        <button type="button" aria-label="Zoom in" title="Zoom in" onClick={() => zoom(ZOOM_STEP)}>
          <Icon node={ZoomIn} />
        </button>
        <button type="button" aria-label="Zoom out" title="Zoom out" onClick={() => zoom(1 / ZOOM_STEP)}>
          <Icon node={ZoomOut} />
        </button>
        <button type="button" aria-label="Show all of it" title="Show all of it" onClick={fit}>
          <Icon node={Maximize} />
        </button>
      </div>
      {wheelHint.value && (
        <p class="stage-hint">{isMac ? "⌘" : "Ctrl"} and the wheel zoom; a pinch does too.</p>
      )}
      <ReadOut />
      <StageMessage />
    </div>
  );
}

/** Which photograph it is, and the way to its neighbours. */
function StageName() {
  const item = items.value && selected();
  if (item === undefined) return null;
  const many = items.value.length > 1;
  return (
    <div class="stage-name">
      {many && (
        <button type="button" aria-label="Previous photograph" onClick={() => step(-1)}>
          <Icon node={ChevronLeft} />
        </button>
      )}
      <span>{item.name}</span>
      {many && (
        <button type="button" aria-label="Next photograph" onClick={() => step(1)}>
          <Icon node={ChevronRight} />
        </button>
      )}
    </div>
  );
}

function ReadOut() {
  const { value: found } = finding;
  if (found === undefined) return null;
  return (
    <p class="read-out" data-testid="read-out">
      <span>
        {found.x}, {found.y}
      </span>
      {found.isInField ? (
        <strong>{found.probability.toFixed(3)}</strong>
      ) : (
        <span>outside the field of view</span>
      )}
    </p>
  );
}

const isMac = /mac/i.test(navigator.platform);
