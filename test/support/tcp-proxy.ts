/**
 * A small TCP proxy to stand between Lectern and PostgreSQL, so that a test can make the network slow, broken or
 * treacherous at a point of its choosing, and count what went over it.
 *
 * ```ts
 * const proxy = await startTcpProxy(database.url);
 * const lectern = await startLectern({ database: { ...database, url: proxy.url } });
 * proxy.delay(2);                 // 2 ms each way: a round trip takes 4 ms more
 * proxy.resetCounts();
 * await ada.client.request(Query);
 * expect(proxy.counts.flights).toBe(1);
 * proxy.cut();                    // RST on every connection; new ones are accepted
 * proxy.dropCommitReplies(1);     // the next COMMIT happens, but its answer never arrives: the connection breaks
 * proxy.loseOutcome();            // the same, and from then on nobody can ask the server what has become of it
 * proxy.blackHole(true);          // half-open: nothing passes, nothing breaks
 * proxy.swallow();                // the same for the connections there are; new ones are well
 * proxy.refuse(true);             // new connections are broken at once
 * proxy.terminateBehind(/claim/); // the answer to the next such message and the FATAL of a terminated connection (57P01)
 *                                 // arrive in one piece: the client hears of its end while it hands the answer out
 * await proxy.stop();
 * ```
 *
 * The proxy speaks just enough of PostgreSQL's protocol to find statements in the stream to the server; TLS must be
 * off. It runs on the event loop of the test: the delays are right to about a tenth of a millisecond while that is idle.
 */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { endsInReadyForQuery, StatementFinder, terminated } from "./postgres-protocol.ts";

export type ProxyCounts = {
  /** Connections that were opened. */
  connections: number;
  /** Connections that were broken at once, as `refuse` says. */
  refusals: number;
  /** Pieces of data that arrived from clients: a flush of the client is one, unless it is large. */
  flushes: number;
  /** How often a client spoke after the server had spoken, per connection: the round trips that somebody waited for. */
  flights: number;
  /** Statements: simple queries and Syncs of the extended protocol. */
  statements: number;
  bytesToServer: number;
  bytesToClient: number;
};

export type TcpProxy = {
  /** The database's URL, through the proxy. */
  url: string;
  port: number;
  readonly counts: Readonly<ProxyCounts>;
  resetCounts(): void;
  /** Holds every piece back for so many milliseconds, in each direction. 0 ends it. */
  delay(ms: number): void;
  /** Breaks all connections now. */
  cut(): void;
  /** The next `times` COMMITs reach the server and happen; instead of their answers, the connection breaks. */
  dropCommitReplies(times: number): void;
  /** The next COMMIT happens; instead of its answer, all connections break, and new ones too until `refuse(false)`. */
  loseOutcome(): void;
  /** The next `times` COMMITs do not reach the server; the connection breaks instead, on both sides. */
  dropCommits(times: number): void;
  /** The next `times` COMMITs do not reach the server; the client's connection breaks, the server's stays as it was. */
  strandCommits(times: number): void;
  /** The next `times` COMMITs do not reach the server, and nothing breaks. */
  swallowCommits(times: number): void;
  /** Swallows everything in both directions while true; connections stay open. */
  blackHole(isOn: boolean): void;
  /** Swallows everything on the connections that are open now, goodbyes too, for ever; new ones are well. */
  swallow(): void;
  /** Breaks new connections at once while true. */
  refuse(isOn: boolean): void;
  /**
   * The next `times` messages that match are answered, and in one piece with the ReadyForQuery of the answer the server
   * says that an administrator has terminated the connection (57P01), which then ends. Messages are statements with
   * their names and, when a connection is opened, its parameters, such as `application_name`.
   */
  terminateBehind(message: RegExp, times?: number): void;
  /** Connections that were terminated so. */
  readonly terminations: number;
  /** COMMITs whose fate the proxy decided. */
  readonly droppedCommits: number;
  stop(): Promise<void>;
};

type Faults = {
  delayMs: number;
  isBlackHole: boolean;
  isRefusing: boolean;
  dropReplies: number;
  losesOutcome: boolean;
  dropCommits: number;
  strandCommits: number;
  swallowCommits: number;
  terminateBehind: RegExp | undefined;
  terminate: number;
};

const noCounts = (): ProxyCounts => ({
  connections: 0,
  refusals: 0,
  flushes: 0,
  flights: 0,
  statements: 0,
  bytesToServer: 0,
  bytesToClient: 0,
});

/** @param databaseUrl postgresql://…, of the server behind the proxy */
export async function startTcpProxy(databaseUrl: string): Promise<TcpProxy> {
  const behind = new URL(databaseUrl);
  const faults: Faults = {
    delayMs: 0,
    isBlackHole: false,
    isRefusing: false,
    dropReplies: 0,
    losesOutcome: false,
    dropCommits: 0,
    strandCommits: 0,
    swallowCommits: 0,
    terminateBehind: undefined,
    terminate: 0,
  };
  let counts = noCounts();
  let droppedCommits = 0;
  let terminations = 0;
  const links = new Set<{ destroy(): void; swallow(): void }>();

  const server = createServer({ noDelay: true }, (client) => {
    if (faults.isRefusing) {
      counts.refusals++;
      return void client.resetAndDestroy();
    }
    counts.connections++;
    const upstream = connect({ port: Number(behind.port || 5432), host: behind.hostname, noDelay: true });
    const link = {
      swallow() {
        isSwallowed = true;
        // Nobody hears that the other end has gone.
        client.pause();
        upstream.pause();
      },
      destroy() {
        links.delete(link);
        client.resetAndDestroy();
        upstream.resetAndDestroy();
      },
    };
    links.add(link);
    const statements = new StatementFinder();
    let hasServerSpoken = true;
    let isReplyDoomed = false;
    let isOutcomeLost = false;
    let isStranded = false;
    let isSwallowed = false;
    let isTerminated = false;
    const toServer = delayed(faults, (chunk) => upstream.writable && upstream.write(chunk));
    const toClient = delayed(faults, (chunk) => client.writable && client.write(chunk));

    client.on("data", (chunk) => {
      counts.flushes++;
      counts.bytesToServer += chunk.length;
      if (hasServerSpoken) counts.flights++;
      hasServerSpoken = false;
      const found = statements.find(chunk, faults.terminateBehind);
      counts.statements += found.count;
      if (faults.isBlackHole || isSwallowed) return;
      if (found.hasCommit && faults.dropCommits > 0) {
        faults.dropCommits--;
        droppedCommits++;
        return link.destroy();
      }
      if (found.hasCommit && faults.strandCommits > 0) {
        faults.strandCommits--;
        droppedCommits++;
        isStranded = true;
        return client.resetAndDestroy();
      }
      if (found.hasCommit && faults.swallowCommits > 0) {
        faults.swallowCommits--;
        droppedCommits++;
        return;
      }
      if (found.hasCommit && faults.dropReplies > 0) {
        faults.dropReplies--;
        droppedCommits++;
        isReplyDoomed = true;
      }
      if (found.hasCommit && faults.losesOutcome) {
        faults.losesOutcome = false;
        droppedCommits++;
        isOutcomeLost = true;
      }
      if (found.hasMatch && faults.terminate > 0) {
        faults.terminate--;
        isTerminated = true;
      }
      toServer(chunk);
    });
    upstream.on("data", (chunk) => {
      counts.bytesToClient += chunk.length;
      hasServerSpoken = true;
      if (faults.isBlackHole || isSwallowed) return;
      if (isReplyDoomed) return link.destroy();
      if (isOutcomeLost) {
        faults.isRefusing = true;
        return cut();
      }
      if (!isTerminated || !endsInReadyForQuery(chunk)) return toClient(chunk);
      terminations++;
      isSwallowed = true;
      client.end(Buffer.concat([chunk, terminated]));
    });
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as [Socket, Socket][]) {
      one.on("error", () => isStranded || other.destroy());
      one.on("end", () => other.end());
      one.on("close", () => {
        if (isStranded && one === client) return;
        links.delete(link);
        other.destroy();
      });
    }
  });

  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  const url = new URL(databaseUrl);
  url.hostname = "127.0.0.1";
  url.port = String(port);

  const cut = () => {
    for (const link of [...links]) link.destroy();
  };
  return {
    url: url.href,
    port,
    get counts() {
      return counts;
    },
    get droppedCommits() {
      return droppedCommits;
    },
    get terminations() {
      return terminations;
    },
    resetCounts: () => {
      counts = noCounts();
    },
    delay: (ms) => {
      faults.delayMs = ms;
    },
    cut,
    dropCommitReplies: (times) => {
      faults.dropReplies = times;
    },
    loseOutcome: () => {
      faults.losesOutcome = true;
    },
    dropCommits: (times) => {
      faults.dropCommits = times;
    },
    strandCommits: (times) => {
      faults.strandCommits = times;
    },
    swallowCommits: (times) => {
      faults.swallowCommits = times;
    },
    blackHole: (isOn) => {
      faults.isBlackHole = isOn;
    },
    swallow: () => {
      for (const link of links) link.swallow();
    },
    refuse: (isOn) => {
      faults.isRefusing = isOn;
    },
    terminateBehind: (message, times = 1) => {
      faults.terminateBehind = message;
      faults.terminate = times;
    },
    async stop() {
      const closed = new Promise<void>((done) => server.close(() => done()));
      cut();
      await closed;
    },
  };
}

/** Passes pieces on after the delay that holds when they arrive, never one before another. */
function delayed(faults: Faults, pass: (chunk: Buffer) => void): (chunk: Buffer) => void {
  const waiting: { chunk: Buffer; due: number }[] = [];
  let isRunning = false;
  const run = (): void => {
    const now = performance.now();
    while (waiting[0] && waiting[0].due <= now) pass((waiting.shift() as { chunk: Buffer }).chunk);
    isRunning = waiting.length > 0;
    if (!waiting[0]) return;
    // A timer is a millisecond coarse: it covers all but the last of the wait, turns of the event loop the rest.
    const rest = waiting[0].due - now;
    if (rest > 2) setTimeout(run, Math.floor(rest - 1));
    else setImmediate(run);
  };
  return (chunk) => {
    if (faults.delayMs === 0 && waiting.length === 0) return pass(chunk);
    waiting.push({ chunk, due: performance.now() + faults.delayMs });
    if (!isRunning) run();
  };
}
