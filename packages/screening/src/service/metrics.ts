// Figures for Prometheus.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** Seconds of a small photograph on many cores to a large one on few. */
const BUCKETS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100];

export interface Metrics {
  readonly registry: Registry;
  request(route: string, method: string, status: number): void;
  segmented(seconds: number, pixels: number): void;
}

/** What is read when the figures are asked for. */
export interface Observed {
  readonly waiting: () => number;
  readonly losses: () => number;
}

export function metricsOf({ waiting, losses }: Observed): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: "saunet_http_requests_total",
    help: "answers by route, method and status",
    labelNames: ["route", "method", "status"],
    registers,
  });
  const seconds = new Histogram({
    name: "saunet_segmentation_seconds",
    help: "time of a photograph from its turn to its answer",
    buckets: BUCKETS,
    registers,
  });
  const pixels = new Counter({ name: "saunet_pixels_total", help: "pixels segmented", registers });
  new Gauge({
    name: "saunet_requests_waiting",
    help: "requests that wait or are segmented",
    registers,
    collect() {
      this.set(waiting());
    },
  });
  new Gauge({
    name: "saunet_process_losses",
    help: "how often the process that segments was lost",
    registers,
    collect() {
      this.set(losses());
    },
  });
  return {
    registry,
    request: (route, method, status) => requests.inc({ route, method, status }),
    segmented(took, size) {
      seconds.observe(took);
      pixels.inc(size);
    },
  };
}
