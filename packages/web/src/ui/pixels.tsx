import { useEffect, useRef } from "preact/hooks";

/** A picture, pixel by pixel; as large as its place. */
export function Pixels({ image, label }: { image: ImageData; label?: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const { width, height } = image;
    Object.assign(canvas.current!, { width, height });
    canvas.current!.getContext("2d")!.putImageData(image, 0, 0);
  }, [image]);
  return label === undefined ? (
    <canvas class="pixels" ref={canvas} />
  ) : (
    <canvas class="pixels" ref={canvas} role="img" aria-label={label} />
  );
}
