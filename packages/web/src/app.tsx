// The frame: three tabs, one page each. A page is made when its tab is first opened and stays; what the second and the
// third need is fetched then.

import { useSignal } from "@preact/signals";
import { Moon, Sun, SunMoon } from "lucide";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { update } from "./host.ts";
import { openCalibration } from "./segment/calibration.ts";
import { addFiles, addFound, openWeights } from "./segment/queue.ts";
import { SegmentPage } from "./segment/segment-page.tsx";
import { openTab, TABS, type TabId, tab } from "./tabs.ts";
import { type Theme, theme } from "./theme.ts";
import { isTraining } from "./title.ts";
import { droppedFiles, type Found } from "./ui/dropped.ts";
import { Icon } from "./ui/icon.tsx";

const isPicture = ({ type, name }: File) =>
  type.startsWith("image/") || /\.(tiff?|p[bgpn]m|dcm)(\.gz)?$/i.test(name);

/** Photographs, masks and calibrations go to the first tab; so do weights, unless they are looked into already. */
function take(found: Found): void {
  const fileOf = (ending: string) => found.files.find(({ name }) => name.endsWith(ending));
  const [weights, calibration] = [fileOf(".safetensors"), fileOf(".json")];
  if (weights === undefined || tab.value !== "inside") openTab("segment");
  if (weights !== undefined) void openWeights(weights);
  else if (calibration === undefined) addFound(found);
  else {
    addFiles(found.files.filter((file) => file !== calibration));
    void openCalibration(calibration);
  }
}

/** Everything on the page. */
export function App() {
  const dragged = useSignal(false);
  useEffect(() => {
    const listeners = {
      dragover: (event: DragEvent) => {
        event.preventDefault();
        dragged.value = true;
      },
      dragleave: (event: DragEvent) => {
        if (event.relatedTarget === null) dragged.value = false;
      },
      drop: (event: DragEvent) => {
        event.preventDefault();
        dragged.value = false;
        if (event.dataTransfer !== null) void droppedFiles(event.dataTransfer).then(take);
      },
      paste: (event: ClipboardEvent) => {
        const files = [...(event.clipboardData?.files ?? [])];
        if (!files.some(isPicture)) return;
        openTab("segment");
        addFiles(files);
      },
    };
    for (const [name, listener] of Object.entries(listeners))
      addEventListener(name, listener as EventListener);
    return () => {
      for (const [name, listener] of Object.entries(listeners))
        removeEventListener(name, listener as EventListener);
    };
  }, []);
  return (
    <>
      <a class="skip-link" href="#content">
        To the content
      </a>
      <Header />
      {update.value && (
        <p class="update" role="status">
          A new version of this page is here.
          <button type="button" class="button quiet small-button" onClick={update.value}>
            Load it
          </button>
        </p>
      )}
      <main id="content" tabIndex={-1}>
        {TABS.map(({ id }) => (
          <Page key={id} id={id} />
        ))}
      </main>
      <footer>
        <p>For research and education; not a medical device.</p>
        <p>
          SA-UNetv2 (Guo et al., arXiv 2509.11774) on an engine written in TypeScript from scratch. Nothing
          you open here is sent anywhere.
        </p>
      </footer>
      {dragged.value && <div class="drop-veil">Drop to see the vessels</div>}
    </>
  );
}

const PAGES: Readonly<Record<TabId, () => Promise<ComponentType>>> = {
  segment: async () => SegmentPage,
  inside: async () => (await import("./inside/inside-page.tsx")).InsidePage,
  train: async () => (await import("./train/train-page.tsx")).TrainPage,
};

function Page({ id }: { id: TabId }) {
  const content = useSignal<ComponentType | undefined>(undefined);
  const failure = useSignal<string | undefined>(undefined);
  const isOpen = tab.value === id;
  useEffect(() => {
    if (!isOpen || content.value !== undefined) return;
    PAGES[id]().then(
      (component) => {
        content.value = component;
      },
      (error: Error) => {
        failure.value = error.message;
      },
    );
  }, [isOpen]);
  const { value: Content } = content;
  return (
    <div hidden={!isOpen}>
      {Content ? (
        <Content />
      ) : (
        failure.value && (
          <p class="notice" role="alert">
            This tab could not be fetched: {failure.value}. Loading the page again may help.
          </p>
        )
      )}
    </div>
  );
}

function Header() {
  return (
    <header class="top">
      <a class="wordmark" href="#segment" aria-label="saunet">
        <img src="./icon.svg" alt="" width={26} height={26} />
        <span>saunet</span>
      </a>
      <nav aria-label="Pages">
        {TABS.map(({ id, text }) => (
          <a key={id} href={`#${id}`} aria-current={tab.value === id ? "page" : undefined}>
            {text}
            {id === "train" && isTraining.value && (
              <span class="runs">
                <span class="visually-hidden"> is running</span>
              </span>
            )}
          </a>
        ))}
      </nav>
      <ThemeButton />
    </header>
  );
}

const NEXT_THEME: Readonly<Record<Theme, Theme>> = { system: "light", light: "dark", dark: "system" };
const THEME_ICON = { system: SunMoon, light: Sun, dark: Moon };

function ThemeButton() {
  const { value: now } = theme;
  const text = `Theme: ${now === "system" ? "as the system" : now}`;
  return (
    <button
      type="button"
      class="round"
      aria-label={text}
      title={text}
      onClick={() => {
        theme.value = NEXT_THEME[now];
      }}
    >
      <Icon node={THEME_ICON[now]} />
    </button>
  );
}
