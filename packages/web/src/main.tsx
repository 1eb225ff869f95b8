import { render } from "preact";
import { App } from "./app.tsx";
import { keepForOffline, prepareHost } from "./host.ts";
import { addExample, engineStarted, startWorker } from "./segment/queue.ts";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/segment.css";
import "./styles/results.css";

// Opened as a file it could start no worker, even where a browser runs its modules: the message in the page stays.
if (location.protocol !== "file:") await start();

async function start(): Promise<void> {
  const place = document.getElementById("app")!;
  place.replaceChildren();
  render(<App />, place);
  await prepareHost();
  startWorker();
  // Whoever is in a hurry comes first: the example is drawn and the page kept once the engine is ready.
  engineStarted()
    .then(addExample, () => {})
    .finally(keepForOffline);
}
