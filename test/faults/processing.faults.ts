import type { Fault } from "./fault.ts";

const migration = "prisma/migrations/20261127030200_queues/migration.sql";
const contract = ["test/documents/worker-contract.test.ts"];
const threads = ["test/processing/bounded-work.test.ts"];
const worker = ["test/processing/worker.unit.test.ts"];
const processes = ["test/processing/bounded-process.test.ts"];
const calls = ["test/processing/sql-queue.unit.test.ts"];

export const faults: Fault[] = [
  {
    name: "a claim waits for another worker's claim",
    file: migration,
    replace: { "LIMIT count FOR UPDATE SKIP LOCKED": "LIMIT count FOR UPDATE" },
    tests: contract,
  },
  {
    name: "two workers claim one job",
    file: migration,
    replace: { "LIMIT count FOR UPDATE SKIP LOCKED": "LIMIT count" },
    tests: contract,
  },
  {
    name: "a job is claimed before its delay has ended",
    file: migration,
    replace: { "AND p.next_attempt_at <= now()::timestamptz(3){filter condition}": "{filter condition}" },
    tests: contract,
  },
  {
    name: "the newest job is claimed first",
    file: migration,
    replace: { "ORDER BY p.next_attempt_at, p.id": "ORDER BY p.next_attempt_at DESC, p.id" },
    tests: contract,
  },
  {
    name: "a lost claim extends the lease of another",
    file: migration,
    replace: {
      "WHERE q.id = {noun} AND q.status = 'PROCESSING' AND q.claim_token = claim; RETURN CASE WHEN FOUND THEN true ELSE explain_lost_{noun}_claim('extend_{noun}_lease', {noun}, claim) END;":
        "WHERE q.id = {noun} AND q.status = 'PROCESSING'; RETURN CASE WHEN FOUND THEN true ELSE explain_lost_{noun}_claim('extend_{noun}_lease', {noun}, claim) END;",
    },
    tests: contract,
  },
  {
    name: "a job is tried once more than it may be",
    file: migration,
    replace: { "CASE WHEN q.attempts >= max_attempts": "CASE WHEN q.attempts > max_attempts" },
    tests: contract,
  },
  {
    name: "the delay of a job has no limit",
    file: migration,
    replace: { "power(2, least(q.attempts, 10) - 1)": "power(2, q.attempts - 1)" },
    tests: contract,
  },
  {
    name: "leases are ended before they expire",
    file: migration,
    replace: { "q.status = 'PROCESSING' AND q.lease_until < now() ORDER BY": "q.status = 'PROCESSING' ORDER BY" },
    tests: contract,
  },
  {
    name: "a release uses up an attempt",
    file: migration,
    replace: { "SET status = 'PENDING', attempts = q.attempts - 1,": "SET status = 'PENDING'," },
    tests: contract,
  },
  {
    name: "a job that is processed again keeps its used-up attempts",
    file: migration,
    replace: { "NEW.attempts := 0;": "" },
    tests: contract,
  },
  {
    name: "a completed job may fail",
    file: migration,
    replace: {
      "('FAILED', 'PENDING'), ('COMPLETED', 'PENDING')":
        "('FAILED', 'PENDING'), ('COMPLETED', 'FAILED'), ('COMPLETED', 'PENDING')",
    },
    tests: ["test/documents/document-states.test.ts"],
  },
  {
    name: "a job that is pending again wakes no worker",
    file: migration,
    replace: {
      'CREATE TRIGGER "{table}_pending_again" AFTER UPDATE OF "status" ON "{table}" FOR EACH ROW WHEN (NEW.status = \'PENDING\') EXECUTE FUNCTION "notify_{table}_pending"();':
        "",
    },
    tests: contract,
  },
  {
    name: "a result is accepted without a lock on its job",
    file: migration,
    replace: { "WHERE q.id = {noun} FOR UPDATE;": "WHERE q.id = {noun};" },
    tests: contract,
  },
  {
    name: "a worker claims a job for each slot, also for those in use",
    file: "src/processing/worker.ts",
    replace: { "const free = slots - this.#running.size;": "const free = this.#running.size < slots ? slots : 0;" },
    tests: worker,
  },
  {
    name: "a worker takes a claim for lost that it has just completed",
    file: "src/processing/worker.ts",
    replace: { "if (isCompleting) return;": "" },
    tests: worker,
  },
  {
    name: "a worker that stops does not wait for its claims",
    file: "src/processing/worker.ts",
    replace: { "await this.#filling;": "" },
    tests: worker,
  },
  {
    name: "a worker that stops fails its jobs",
    file: "src/processing/worker.ts",
    replace: {
      "signal.aborted ? await queue.release(claim)":
        "signal.aborted && signal.reason === null ? await queue.release(claim)",
    },
    tests: worker,
  },
  {
    name: "a worker that has no free slot forgets the wake-up",
    file: "src/processing/worker.ts",
    replace: { "this.#running.delete(claim); this.#wake();": "this.#running.delete(claim);" },
    tests: worker,
  },
  {
    name: "a failed claim ends the polling",
    file: "src/processing/worker.ts",
    replace: {
      'logger.error({ err: error, queue: queue.name }, "claiming failed; the next poll will retry");':
        'return logger.error({ err: error, queue: queue.name }, "claiming failed; the next poll will retry");',
    },
    tests: worker,
  },
  {
    name: "an impossible job is retried",
    file: "src/processing/worker.ts",
    replace: { "error instanceof ImpossibleJobError": "false" },
    tests: worker,
  },
  {
    name: "the heartbeat comes when the lease has ended",
    file: "src/processing/worker.ts",
    replace: { "const everyMs = leaseMs / 3;": "const everyMs = leaseMs;" },
    tests: worker,
  },
  {
    name: "the heartbeat goes on after the work",
    file: "src/processing/worker.ts",
    replace: { "} finally { heartbeat.stop(); }": "}" },
    tests: worker,
  },
  {
    name: "a heartbeat begins while another is under way",
    file: "src/processing/worker.ts",
    replace: { "if (this.#isExtending) return;": "" },
    tests: worker,
  },
  {
    name: "progress is reported again at each beat",
    file: "src/processing/worker.ts",
    replace: { "this.#reported = progress ?? this.#reported;": "" },
    tests: worker,
  },
  {
    name: "a worker polls without a pause when a job is nearly due",
    file: "src/processing/worker.ts",
    replace: { "Math.max(sweepMs, (await queue.nextEndMs()) ?? pollMs)": "(await queue.nextEndMs()) ?? pollMs" },
    tests: worker,
  },
  {
    name: "an impossible job has all attempts",
    file: "src/processing/sql-queue.ts",
    replace: { "isFinal ? 1 : maxAttempts": "maxAttempts" },
    tests: calls,
  },
  {
    name: "a call is repeated for ever",
    file: "src/processing/sql-queue.ts",
    replace: { "if (tries === maxCalls || !(": "if (!(" },
    tests: calls,
  },
  {
    name: "the failure of a job names files of the database",
    file: "src/processing/sql-queue.ts",
    replace: { 'if (isDiskFull(error)) throw new Error("The database\'s disk is full.", { cause: error });': "" },
    tests: calls,
  },
  {
    name: "calls leave their listeners on the connection",
    file: "src/processing/sql-queue.ts",
    replace: { '} finally { client.off("notice", hear); }': "} finally { holder = undefined; }" },
    tests: calls,
  },
  {
    name: "a worker that cannot start leaves its connections open",
    file: "src/processing/work-queue.ts",
    replace: { "await stop(); throw error;": "throw error;" },
    tests: ["test/processing/work-queue.unit.test.ts"],
  },
  {
    name: "work that fails keeps its thread",
    file: "src/processing/bounded-work.ts",
    replace: {
      "try { return await this.#runNow(task, options); } finally { release(); }":
        "const answer = await this.#runNow(task, options); release(); return answer;",
    },
    tests: threads,
  },
  {
    name: "work that waits for a thread uses up its time",
    file: "src/processing/bounded-work.ts",
    replace: {
      "const release = await this.#turns.take(1);": "const release = await this.#turns.take(0);",
    },
    tests: threads,
  },
  {
    name: "the limit that ended the work is not named",
    file: "src/processing/bounded-work.ts",
    replace: { "throw ended.signal.aborted && !signal?.aborted ? ended.signal.reason : error;": "throw error;" },
    tests: threads,
  },
  {
    name: "finished work is still watched",
    file: "src/processing/bounded-work.ts",
    replace: { 'this.#pool.off("error", onThreadError); stopWatching();': 'this.#pool.off("error", onThreadError);' },
    tests: threads,
  },
  {
    name: "small work overtakes large work for ever",
    file: "src/processing/budget.ts",
    replace: { "if (waiter.units > this.#free) return;": "if (waiter.units > this.#free) continue;" },
    tests: ["test/processing/budget.test.ts"],
  },
  {
    name: "work that needs more than the total waits in vain",
    file: "src/processing/budget.ts",
    replace: { "const units = Math.min(needed, total);": "const units = needed;" },
    tests: ["test/processing/budget.test.ts"],
  },
  {
    name: "a waiter that has left still blocks those behind it",
    file: "src/processing/budget.ts",
    replace: {
      "failed(refusal()); // This waiter may have blocked smaller ones after it. this.#begin();": "failed(refusal());",
    },
    tests: ["test/processing/budget.test.ts"],
  },
  {
    name: "a process inherits the secrets of the server",
    file: "src/processing/bounded-process.ts",
    replace: { "env: {},": "" },
    tests: processes,
  },
  {
    name: "the programs of a process outlive it",
    file: "src/processing/bounded-process.ts",
    replace: { 'process.kill(-pid, "SIGKILL");': 'process.kill(pid, "SIGKILL");' },
    tests: processes,
  },
  {
    name: "a task fails before its process has ended",
    file: "src/processing/bounded-process.ts",
    replace: { "killGroup(child.pid); await ended;": "killGroup(child.pid); void ended;" },
    tests: processes,
  },
  {
    name: "the memory of a process is not limited",
    file: "src/processing/bounded-process.ts",
    replace: { "<= limits.memoryMb * 1_000_000) return;": "<= limits.memoryMb * 1_000_000_000) return;" },
    tests: processes,
  },
  {
    name: "the memory of the programs is not counted",
    file: "src/processing/bounded-process.ts",
    replace: { "others.reduce((sum, bytes) => sum + bytes, own)": "others.reduce((sum) => sum, own)" },
    tests: processes,
  },
  {
    name: "a signal does not end a process",
    file: "src/processing/bounded-process.ts",
    replace: { 'signal?.addEventListener("abort", abort);': "" },
    tests: processes,
  },
  {
    name: "a process outlives the server",
    file: "src/processing/process-task.ts",
    replace: {
      'process.on("disconnect", () => process.kill(-process.pid, "SIGKILL"));': 'process.on("disconnect", () => {});',
    },
    tests: processes,
  },
  {
    name: "a process competes with requests",
    file: "src/processing/process-task.ts",
    replace: { "setPriority(niceness);": "void [setPriority, niceness];" },
    tests: processes,
  },
  {
    name: "the files of a lost claim are kept",
    file: "src/processing/worker.ts",
    replace: { "await discard?.(result);": "void discard;" },
    tests: worker,
  },
  {
    name: "files are removed although the completion may have been committed",
    file: "src/processing/worker.ts",
    replace: {
      "const { stands, holder } = await queue.complete(claim, result);":
        "const { stands, holder } = await queue.complete(claim, result).catch(async (error) => { await discard?.(result); throw error; });",
    },
    tests: worker,
  },
];
