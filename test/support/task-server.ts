/** A program that runs one task in a process, and says when the task reports: `task-server.ts <module> <code>`. */
import { BoundedProcesses } from "../../src/processing/bounded-process.ts";

const [, , filename = "", code = ""] = process.argv;
const limits = { waitMs: 60_000, timeoutMs: 600_000, memoryMb: 1_000 };
const processes = new BoundedProcesses({ filename, processes: 1, limits, subject: "The work" });
await processes.run({ code }, { report: () => process.send?.("begun") });
