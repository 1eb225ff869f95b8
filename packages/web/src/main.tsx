import { render } from "preact";
import { App } from "./app.tsx";
import { prepareHost } from "./host.ts";
import { addExample, startWorker } from "./segment/queue.ts";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/segment.css";
import "./styles/inside.css";
import "./styles/train.css";

render(<App />, document.getElementById("app")!);
await prepareHost();
startWorker();
void addExample();
