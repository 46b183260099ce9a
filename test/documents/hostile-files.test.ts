/**
 * Files made to hold up the server: it reads them on threads, so that its event loop is free for others meanwhile, and
 * ends threads that take too long.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ThreadedFileReader } from "../../src/documents/reading/file-reader.ts";
import { BoundedThreads, type WorkLimits } from "../../src/processing/bounded-work.ts";
import { StagedFile } from "../../src/storage/file-store.ts";
import { graphql } from "../support/client/generated/gql.ts";
import { longestTurn } from "../support/event-loop.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { silent as logger } from "../support/logs.ts";
import { upload } from "../support/upload.ts";

describe("a server's event loop", () => {
  let lectern: Lectern;
  let ada: Person;

  beforeAll(async () => {
    lectern = await startLectern();
    ada = await lectern.person("Ada");
    // Compilation with the first request, and the thread's start, are no part of the time for a file.
    await upload(lectern, ada, new File(["A first text."], "first.txt"));
    await upload(lectern, ada, new File(["x".repeat(8_000_000)], "long.txt"));
  });
  afterAll(() => lectern.stop());

  const Small = graphql(`
    query SmallBesideAFile {
      viewer { user { name } }
    }
  `);

  const latin = Buffer.from("Voil\xe0 un texte fran\xe7ais tr\xe8s ordinaire. ".repeat(2_000), "latin1");
  const noText = Buffer.alloc(8_000_000, 0xff);
  const unreadable = { code: "UNSUPPORTED_MEDIA_TYPE", inputPath: ["input", "source", "file"] };
  const files: [string, string | Buffer, { title: string } | typeof unreadable][] = [
    ["180 bytes of comments", "<!---->".repeat(26), { title: "180 bytes of comments" }],
    ["280 bytes of comments", "<!---->".repeat(40), { title: "280 bytes of comments" }],
    ["64 kB of comments", "<!---->".repeat(9_300), { title: "64 kB of comments" }],
    ["10,000 spaces", `# a${" ".repeat(10_000)}b`, { title: "a" }],
    ["10,000 spaces in a heading", `# a${" ".repeat(9_000)}b`, { title: "a b" }],
    ["64 kB of titles", `<html>${"<title ".repeat(9_000)}`, { title: "64 kB of titles" }],
    ["64 kB of spaces in a title", `<html><title>a${" ".repeat(60_000)}b</title>`, { title: "a b" }],
    ["8 MB that are no text", noText, unreadable],
    ["8 MB in windows-1252", Buffer.concat([latin, Buffer.alloc(8_000_000, 0x93)]), { title: "8 MB in windows-1252" }],
  ];

  it("is measured", async () => {
    const busy = (ms: number) => {
      const before = process.threadCpuUsage();
      for (let spent = 0; spent < ms * 1_000; ) {
        const { user, system } = process.threadCpuUsage(before);
        spent = user + system;
      }
    };
    const { turnMs } = await longestTurn(async () => {
      for (let turn = 0; turn < 30; turn++) await new Promise((resume) => setImmediate(() => resume(busy(10))));
    });
    expect(turnMs).toBeLessThan(100);
    expect((await longestTurn(async () => busy(150))).turnMs).toBeGreaterThan(100);
  });

  it.each(files)("is free while a file is read: %s", async (name, bytes, expected) => {
    const file = new File([bytes as BlobPart], `${name}.txt`);
    let answers = 0;
    const { result, turnMs } = await longestTurn(async () => {
      const uploading = upload(lectern, ada, file);
      let isOver = false;
      void uploading.finally(() => {
        isOver = true;
      });
      do {
        await ada.client.request(Small);
        answers++;
      } while (!isOver);
      return uploading;
    });
    console.log(`${name}: ${turnMs.toFixed(0)} ms at a stretch, ${answers} other requests answered`);
    const { requestId, ...extensions } = result.errors?.[0]?.extensions ?? {};
    const answer: unknown = result.data ? { title: result.data.createDocument.document.title } : extensions;
    expect(answer).toEqual(expected);
    expect(turnMs).toBeLessThan(100);
    expect(answers).toBeGreaterThan(0);
  });
});

describe("a thread", () => {
  type Task = { code: string };
  let threads: BoundedThreads<Task, unknown>;
  afterEach(() => threads.close());

  const start = (limits: Partial<WorkLimits>, count = 1) => {
    threads = new BoundedThreads({
      filename: new URL("../support/any-work.ts", import.meta.url).pathname,
      threads: count,
      idleMs: 60_000,
      limits: { waitMs: 10_000, timeoutMs: 10_000, memoryMb: 1_000, ...limits },
      subject: "The work",
      logger,
    });
    return (code: string, signal?: AbortSignal) => threads.run({ code }, { signal });
  };

  it("answers, or fails with the error of its work", async () => {
    const run = start({});
    expect(await run("return 1 + 1")).toBe(2);
    await expect(run("throw new Error('No.')")).rejects.toThrow("No.");
    expect(await run("return 3")).toBe(3);
  });

  it("is ended when its work takes too long; the next work has another", async () => {
    const run = start({ timeoutMs: 4_000 });
    await run("return 0");
    const endless = run("for (;;);");
    await expect(endless).rejects.toMatchObject({
      name: "LimitExceededError",
      message: "The work took longer than 4 s.",
      limit: "timeoutMs",
      isCertain: false,
    });
    expect(await run("return 4")).toBe(4);
  });

  it("is ended when its work takes too much memory", { timeout: 120_000 }, async () => {
    const run = start({ memoryMb: 60 });
    await run("return 0");
    const greedy = "const kept = []; for (;;) kept.push(Buffer.alloc(1_000_000, 1));";
    await expect(run(greedy)).rejects.toMatchObject({
      message: "The work takes more than 60 MB of memory.",
      limit: "memoryMb",
    });
    expect(await run("return 5")).toBe(5);
  });

  it("is not waited for too long, and the wait is no part of the time", async () => {
    const run = start({ waitMs: 1_000, timeoutMs: 20_000 });
    const busy = "return new Promise((resume) => setTimeout(resume, 2_000, 'done'))";
    const [first, late] = await Promise.allSettled([run(busy), run("return 6")]);
    expect(first).toMatchObject({ status: "fulfilled", value: "done" });
    expect(late).toMatchObject({
      status: "rejected",
      reason: { message: "The work did not begin within 1 s.", limit: "waitMs" },
    });
    expect(await Promise.all([run("return 7"), run("return 8"), run("return 9")])).toEqual([7, 8, 9]);
  });

  it("is ended with the work that is aborted, with the reason of its pool", async () => {
    const run = start({});
    await run("return 0");
    const abort = new AbortController();
    const running = run("for (;;);", abort.signal);
    setTimeout(() => abort.abort(new Error("Enough.")), 50);
    await expect(running).rejects.toMatchObject({ name: "AbortError" });
    expect(await run("return 10")).toBe(10);
  });
});

describe("the reader of files", () => {
  const stagedOf = (name: string, bytes: Buffer) =>
    new StagedFile({ id: name, name, sizeBytes: bytes.length, sha256: "", head: bytes.subarray(0, 65_536) });

  it("reads the whole of a text only, and leaves the head to whoever needs it again", async () => {
    const read: string[] = [];
    const contents: Record<string, Buffer> = {
      "short.txt": Buffer.from("# Short\n"),
      "long.txt": Buffer.from(`# Long\n${"đ".repeat(100_000)}`),
      "long.html": Buffer.from(`<title>Page</title>${"x".repeat(100_000)}`),
      "long.bin": Buffer.concat([Buffer.from("GIF89a"), Buffer.alloc(100_000)]),
    };
    const files = {
      readStaged: async ({ id }: StagedFile) => {
        read.push(id);
        return Buffer.from(new Uint8Array(contents[id] as Buffer).buffer);
      },
    };
    const reader = new ThreadedFileReader({ files, memoryMb: 500, maxBytes: 1_000_000, memoryWaitMs: 1_000, logger });
    try {
      await reader.warmUp();
      const answers = await Promise.all(
        Object.entries(contents).map(async ([name, bytes]) => {
          const file = stagedOf(name, bytes);
          const reading = await reader.read(file, () => {});
          expect(file.head).toEqual(bytes.subarray(0, 65_536));
          return "refusal" in reading
            ? reading.refusal
            : { ...reading, text: reading.text && Buffer.from(reading.text).equals(bytes) };
        }),
      );
      expect(answers).toEqual([
        { mimeType: "text/plain", title: "Short", text: true },
        { mimeType: "text/plain", title: "Long", text: true },
        { mimeType: "text/html", title: "Page", text: null },
        { code: "UNSUPPORTED_MEDIA_TYPE", message: "Text, Markdown, HTML, PDF and DOCX are supported, not image/gif." },
      ]);
      expect(read).toEqual(["long.txt"]);
    } finally {
      await reader.close();
    }
  });
});
