/**
 * Debian's Chromium without a window, driven over the DevTools protocol: for tests of how a browser takes the responses.
 *
 * ```ts
 * const browser = await startBrowser();
 * await browser.open("http://localhost:1234/");
 * expect(await browser.evaluate("document.title")).toBe("Lectern");
 * await browser.close();
 * ```
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { WebSocket } from "ws";
import { endWithRun } from "./reap.ts";

export type Browser = {
  /** Goes to a page, and waits until it has loaded. @returns the error of a page that could not be loaded */
  open(url: string): Promise<string | undefined>;
  /** The value of a JavaScript expression in the page, as JSON; of a promise, what it resolves to. Throws as it does. */
  evaluate<Value = unknown>(expression: string): Promise<Value>;
  /** Writes a PNG of the page. */
  screenshot(path: string): Promise<void>;
  close(): Promise<void>;
};

const program = (process.env.PATH ?? "")
  .split(delimiter)
  .flatMap((folder) => ["chromium", "chromium-browser", "google-chrome"].map((name) => join(folder, name)))
  .find((path) => existsSync(path));

/** False where no browser is installed: tests of one are skipped, and say so. */
export const hasBrowser = program !== undefined;
if (!hasBrowser) console.log("Tests in a browser are skipped: there is no chromium in PATH (apt install chromium).");

/** A browser that is started anew takes seconds on a busy machine. */
const startMs = 50_000;

export async function startBrowser(): Promise<Browser> {
  if (program === undefined) throw new Error("There is no chromium in PATH.");
  const profile = await mkdtemp(join(tmpdir(), "lectern-browser-"));
  const child = spawn(
    program,
    [
      "--headless=new",
      "--remote-debugging-port=0",
      `--user-data-dir=${profile}`,
      // Tests may run as root, where the sandbox does not start, and in containers with a small /dev/shm.
      "--no-sandbox",
      "--disable-dev-shm-usage",
      "--disable-gpu",
      "--no-first-run",
      "--mute-audio",
      "--autoplay-policy=no-user-gesture-required",
      "about:blank",
    ],
    { detached: true, stdio: ["ignore", "ignore", "pipe"] },
  );
  endWithRun(child);
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const endBrowser = async () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
    await ended;
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const devTools = await connectTo(await addressOf(child));
    return {
      ...(await pageOf(devTools)),
      async close() {
        devTools.close();
        await endBrowser();
      },
    };
  } catch (error) {
    await endBrowser();
    throw error;
  }
}

function addressOf({ stderr, ...child }: ChildProcess): Promise<string> {
  return new Promise((found, failed) => {
    let text = "";
    const timer = setTimeout(() => failed(new Error(`The browser did not start:\n${text}`)), startMs);
    stderr?.setEncoding("utf8").on("data", (piece: string) => {
      text += piece;
      const address = /DevTools listening on (ws:\S+)/.exec(text)?.[1];
      if (address === undefined) return;
      clearTimeout(timer);
      found(address);
    });
    stderr?.once("close", () => {
      clearTimeout(timer);
      failed(new Error(`The browser ended (${child.exitCode}):\n${text}`));
    });
  });
}

type Parameters = Record<string, unknown>;
type DevTools = {
  /** Calls a method, and waits for its result. */
  call<Result = Parameters>(method: string, parameters?: Parameters): Promise<Result>;
  /** Waits for the next event of this name. */
  event(method: string): Promise<Parameters>;
  /** Addresses all later calls to one page. */
  session?: string;
  close(): void;
};

async function connectTo(address: string): Promise<DevTools> {
  const socket = new WebSocket(address);
  await new Promise((opened, failed) => socket.once("open", opened).once("error", failed));
  const calls = new Map<number, PromiseWithResolvers<Parameters>>();
  const events = new Map<string, PromiseWithResolvers<Parameters>>();
  let serial = 0;
  socket.on("message", (data) => {
    const { id, method, params, result, error } = JSON.parse(String(data));
    if (method !== undefined) {
      events.get(method)?.resolve(params);
      events.delete(method);
    } else if (error) calls.get(id)?.reject(new Error(error.message));
    else calls.get(id)?.resolve(result);
    calls.delete(id);
  });
  socket.on("close", () => {
    for (const { reject } of [...calls.values(), ...events.values()]) reject(new Error("The browser has ended."));
  });
  const devTools: DevTools = {
    call(method, params = {}) {
      const answer = Promise.withResolvers<Parameters>();
      calls.set(++serial, answer);
      socket.send(JSON.stringify({ id: serial, method, params, sessionId: devTools.session }));
      return answer.promise as Promise<never>;
    },
    event(method) {
      const event = events.get(method) ?? Promise.withResolvers<Parameters>();
      events.set(method, event);
      return event.promise;
    },
    close: () => socket.terminate(),
  };
  return devTools;
}

type Evaluated = {
  result: { value?: unknown };
  exceptionDetails?: { text: string; exception?: { description?: string } };
};

async function pageOf(devTools: DevTools): Promise<Omit<Browser, "close">> {
  const { call, event } = devTools;
  const { targetId } = await call<{ targetId: string }>("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await call<{ sessionId: string }>("Target.attachToTarget", { targetId, flatten: true });
  devTools.session = sessionId;
  await call("Page.enable");
  return {
    async open(url) {
      const loaded = event("Page.loadEventFired");
      // It never comes for a page that could not be loaded, and fails when the browser ends.
      loaded.catch(() => {});
      const { errorText } = await call<{ errorText?: string }>("Page.navigate", { url });
      if (errorText === undefined) await loaded;
      return errorText;
    },
    async evaluate(expression) {
      const parameters = { expression, awaitPromise: true, returnByValue: true };
      const { result, exceptionDetails: thrown } = await call<Evaluated>("Runtime.evaluate", parameters);
      if (thrown) throw new Error(thrown.exception?.description ?? thrown.text);
      return result.value as never;
    },
    async screenshot(path) {
      const { data } = await call<{ data: string }>("Page.captureScreenshot", { format: "png" });
      await writeFile(path, Buffer.from(data, "base64"));
    },
  };
}
