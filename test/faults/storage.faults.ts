import type { Fault } from "./fault.ts";

const store = ["test/storage/local-file-store.unit.test.ts", "test/storage/local-file-store.test.ts"];
const named = ["test/storage/named-files.unit.test.ts", "test/storage/named-files.test.ts"];
const sweep = ["test/storage/file-sweep.unit.test.ts"];
const staging = ["test/storage/staging.unit.test.ts"];
const s3 = ["test/storage/s3-file-store.test.ts"];
const contract = ["test/storage/file-store-contract.test.ts"];
const copies = ["test/storage/copy-files.unit.test.ts"];
const health = ["test/storage/file-store-health.test.ts"];

export const faults: Fault[] = [
  {
    name: "the sweep does not look at a file's age a second time",
    file: "src/storage/file-sweep.ts",
    replace: {
      "else if (((await store.age(id)) ?? 0) > graceMs) await store.remove(id); else continue;":
        "else if (graceMs >= 0) await store.remove(id); else continue;",
    },
    tests: store,
  },
  {
    name: "the sweep counts a file that is gone by then",
    file: "src/storage/file-sweep.ts",
    replace: {
      "((await store.age(id)) ?? 0) > graceMs": "((await store.age(id)) ?? Number.POSITIVE_INFINITY) > graceMs",
    },
    tests: store,
  },
  {
    name: "a changed file of the same size is not noticed",
    file: "src/storage/named-files.ts",
    replace: {
      "found !== sizeBytes || (await hashOf(files, key)) !== sha256": "found !== sizeBytes",
      "for await (const { id, key, sizeBytes, sha256 } of": "for await (const { id, key, sizeBytes } of",
    },
    tests: named,
  },
  {
    name: "only the beginning of a file is compared",
    file: "src/storage/named-files.ts",
    replace: {
      "found !== sizeBytes || (await": "found < sizeBytes || (await",
      "hash.update(piece);": "hash.update(piece.subarray(0, 24));",
    },
    tests: named,
  },
  {
    name: "a missing file counts as changed",
    file: "src/storage/named-files.ts",
    replace: { "if (found === null) faults.missing.push(id);": "if (found === null) faults.changed.push(id);" },
    tests: named,
  },
  {
    name: "files are compared for the first rows only",
    file: "src/storage/named-files.ts",
    replace: { "if (rows.length < batchSize) return;": "if (rows.length <= batchSize) return;" },
    tests: named,
  },
  {
    name: "a staged file is not flushed to the disk",
    file: "src/storage/staging.ts",
    replace: {
      'await ask(path, () => handle.sync()); this.#probe("after_fsync"); await ask':
        'this.#probe("after_fsync"); await ask',
    },
    tests: store,
  },
  {
    name: "a file is kept before the folder of its entry is flushed",
    file: "src/storage/local-file-store.ts",
    replace: { "await syncFolder(folder); // Also": "// Also" },
    tests: store,
  },
  {
    name: "the entry of a new folder is not flushed",
    file: "src/storage/local-file-store.ts",
    replace: { 'await syncFolder(join(this.#folder, "kept"));': "" },
    tests: store,
  },
  {
    name: "a folder that could not be flushed counts as durable",
    file: "src/storage/local-file-store.ts",
    replace: {
      "if (!this.#durable.has(folder)) {": "if (!this.#durable.has(folder)) { this.#durable.add(folder);",
      "await syncFolder(this.#folder); this.#durable.add(folder);": "await syncFolder(this.#folder);",
    },
    tests: store,
  },
  {
    name: "a file whose entry could not be flushed stays",
    file: "src/storage/local-file-store.ts",
    replace: {
      "await rm(path, { force: true }).catch(() => {}); throw error; } return key;": "throw error; } return key;",
    },
    tests: store,
  },
  {
    name: "the partial file of a failed request stays",
    file: "src/storage/staging.ts",
    replace: {
      "await handle.close().catch(() => {}); await rm(path, { force: true }).catch(() => {});":
        "await handle.close().catch(() => {});",
    },
    tests: store,
  },
  {
    name: "a file of one byte more than the limit is received",
    file: "src/storage/staging.ts",
    replace: { "if (sizeBytes > maxBytes)": "if (sizeBytes > maxBytes + 1)" },
    tests: store,
  },
  {
    name: "a file that is too large is written before it is refused",
    file: "src/storage/staging.ts",
    replace: {
      "if (sizeBytes > maxBytes) throw new FileTooLargeError(maxBytes);": "",
      "return { sizeBytes, sha256:":
        "if (sizeBytes > maxBytes) throw new FileTooLargeError(maxBytes); return { sizeBytes, sha256:",
    },
    tests: store,
  },
  {
    name: "the head shares the memory of a network buffer",
    file: "src/storage/staging.ts",
    replace: {
      "Buffer.copyBytesFrom(piece, 0, headBytes - sizeBytes)": "piece.subarray(0, headBytes - sizeBytes)",
    },
    tests: store,
  },
  {
    name: "a write that takes a part of a piece loses the rest",
    file: "src/storage/disk.ts",
    replace: {
      "written += (await handle.write(piece, written)).bytesWritten;":
        "await handle.write(piece, written); written = piece.length;",
    },
    tests: store,
  },
  {
    name: "a file that a program wrote is not flushed to the disk",
    file: "src/storage/staging.ts",
    replace: {
      'await ask(path, () => handle.sync()); this.#probe("after_fsync"); return': 'this.#probe("after_fsync"); return',
    },
    tests: store,
  },
  {
    name: "a file that a program wrote stays readable for every user of the machine",
    file: "src/storage/staging.ts",
    replace: { "await ask(path, () => handle.chmod(0o600));": "" },
    tests: store,
  },
  {
    name: "the partial file of a program that failed stays",
    file: "src/storage/staging.ts",
    replace: {
      "await handle.close(); } } catch (error) { await rm(path, { force: true }).catch(() => {}); throw error; }":
        "await handle.close(); } } catch (error) { throw error; }",
    },
    tests: store,
  },
  {
    name: "the end of a range is included",
    file: "src/storage/disk.ts",
    replace: { "Math.min(pieceBytes, end - position)": "Math.min(pieceBytes, end + 1 - position)" },
    tests: store,
  },
  {
    name: "a missing file is noticed by the program that needs it",
    file: "src/storage/local-file-store.ts",
    replace: {
      "await ask(path, () => stat(path), key); return use(path);": "stat(path).catch(() => {}); return use(path);",
    },
    tests: store,
  },
  {
    name: "every user of the machine may read the files",
    file: "src/storage/disk.ts",
    replace: { 'open(path, "wx", 0o600)': 'open(path, "wx")' },
    tests: store,
  },
  {
    name: "a storage key may lead out of the folder",
    file: "src/storage/file-store.ts",
    replace: { "if (!isKey(key)) throw": "if (key.length === 0) throw" },
    tests: store,
  },
  {
    name: "the age of a file is that of its contents, not of its last touch",
    file: "src/storage/disk.ts",
    replace: {
      "const ageOf = ({ ctimeMs }: Stats) => Date.now() - ctimeMs;":
        "const ageOf = ({ birthtimeMs }: Stats) => Date.now() - birthtimeMs;",
    },
    tests: store,
  },
  {
    name: "a file is left open when its client stops reading",
    file: "src/storage/local-file-store.ts",
    replace: {
      "} finally { await handle.close(); } } async withLocalFile":
        "} catch (error) { await handle.close(); throw error; } } async withLocalFile",
    },
    tests: store,
  },
  {
    name: "the trial leaves a file when the process ends",
    file: "src/storage/staging.ts",
    replace: {
      "await rm(path); await writeAll(handle, new Uint8Array(trialBytes)); await handle.sync();":
        "await writeAll(handle, new Uint8Array(trialBytes)); await handle.sync(); await rm(path);",
    },
    tests: store,
  },
  {
    name: "a folder above a missing folder is not created",
    file: "src/storage/disk.ts",
    replace: { "await makeFolder(dirname(path)); await makeInnermost(path);": "await makeInnermost(path);" },
    tests: store,
  },
  {
    name: "files that may be about to be named are swept",
    file: "src/storage/file-sweep.ts",
    replace: { "if (file.ageMs <= graceMs) continue;": "if (file.ageMs <= graceMs && file.isStaged) continue;" },
    tests: sweep,
  },
  {
    name: "staged files of a crash are never swept",
    file: "src/storage/file-sweep.ts",
    replace: { "if (file.isStaged) yield file;": "if (file.isStaged) continue;" },
    tests: sweep,
  },
  {
    name: "a file that was touched since the rows were read is removed",
    file: "src/storage/file-sweep.ts",
    replace: {
      "else if (((await store.age(id)) ?? 0) > graceMs) await store.remove(id);":
        "else if (graceMs >= 0) await store.remove(id);",
    },
    tests: sweep,
  },
  {
    name: "the last files of a sweep are not compared with the rows",
    file: "src/storage/file-sweep.ts",
    replace: { "if (batch.length > 0) yield* await unnamed();": "" },
    tests: sweep,
  },
  {
    name: "a sweep carries every batch on to the next",
    file: "src/storage/file-sweep.ts",
    replace: { "batch = []; return found;": "return found;" },
    tests: sweep,
  },
  {
    name: "a sweep hides that files could not be removed",
    file: "src/storage/file-sweep.ts",
    replace: { "if (failure) throw failure;": "" },
    tests: sweep,
  },
  {
    name: "a full disk counts as a passing trouble",
    file: "src/storage/file-store.ts",
    replace: { 'if (fullReasons.has(reason)) return "full";': 'if (fullReasons.has(reason)) return "passing";' },
    tests: ["test/storage/local-file-store.test.ts"],
  },
  {
    name: "a used-up quota is not a full disk",
    file: "src/storage/file-store.ts",
    replace: { 'new Set(["ENOSPC", "EDQUOT"])': 'new Set(["ENOSPC"])' },
    tests: ["test/storage/local-file-store.test.ts"],
  },
  {
    name: "the file of a row is removed although another row names it",
    file: "src/storage/named-files.ts",
    replace: { "if (!named.has(key)) await removeOrLeave": "if (key) await removeOrLeave" },
    tests: named,
  },
  {
    name: "an update that keeps its file asks the database",
    file: "src/storage/named-files.ts",
    replace: { "before?.[key] === now[key] ? undefined : before?.[key]": "before?.[key]" },
    tests: named,
  },
  {
    name: "an event of another table removes a file",
    file: "src/storage/named-files.ts",
    replace: { ".filter(({ topic }) => topic === event.topic)": "" },
    tests: named,
  },
  {
    name: "the check of files ends after its first batch",
    file: "src/storage/named-files.ts",
    replace: { "if (rows.length < batchSize) return;": "if (rows.length > 0) return;" },
    tests: named,
  },
  {
    name: "a trial of the store begins although another is under way",
    file: "src/storage/file-store-health.ts",
    replace: { "this.#trial ??= {": "this.#trial = {" },
    tests: health,
  },
  {
    name: "the trouble of a store is reported after it has ended",
    file: "src/storage/file-store-health.ts",
    replace: { "return this.#note(null);": "return null;" },
    tests: health,
  },
  {
    name: "a trial of the store that hangs counts as a success",
    file: "src/storage/file-store-health.ts",
    replace: {
      'return this.#trial === trial ? this.#note(new FileStoreError("", silence(limitMs))) : this.#trouble;':
        "return this.#trouble;",
    },
    tests: health,
  },
  {
    name: "a file that cannot be removed holds up the files of later events",
    file: "src/storage/named-files.ts",
    replace: {
      'logger.warn({ err: error, key }, "a file could not be removed; the sweep will");': "throw error;",
    },
    tests: named,
  },
  {
    name: "an invalid key in a row stops the removal of files",
    file: "src/storage/named-files.ts",
    replace: { "if (!isKey(key)) return logger": 'if (key === "") return logger' },
    tests: named,
  },
  {
    name: "an invalid key in a row ends the check of files",
    file: "src/storage/named-files.ts",
    replace: {
      "isKey(key) ? await files.size(key) : null": "isKey(key) || key.length > 0 ? await files.size(key) : null",
    },
    tests: named,
  },
  {
    name: "a temporary file is swept while a program uses it",
    file: "src/storage/staging.ts",
    replace: {
      "renewal = setInterval(() => void renew(path), renewEveryMs);": "renewal = setInterval(() => {}, renewEveryMs);",
    },
    tests: staging,
  },
  {
    name: "a temporary file stays when its program has failed",
    file: "src/storage/staging.ts",
    replace: {
      "return await use(path); } finally {":
        "const result = await use(path); await removeFile(path); return result; } finally {",
      "// The sweep removes the file if this fails. await rm(path, { force: true }).catch(() => {}); } } /** Removes":
        "} } /** Removes",
    },
    tests: staging,
  },
  {
    name: "a download that broke begins again in the middle of the file",
    file: "src/storage/s3-download.ts",
    replace: {
      "request(bucket, key, { start: position, end })": "request(bucket, key, { start: range?.start ?? 0, end })",
    },
    tests: s3,
  },
  {
    name: "a download is asked for again for ever",
    file: "src/storage/s3-download.ts",
    replace: { "failure === error || breaks >= maxBreaks": "failure === error || breaks >= 20 * maxBreaks" },
    tests: s3,
  },
  {
    name: "more bytes are returned than were asked for",
    file: "src/storage/s3-download.ts",
    replace: { "end = Math.min(end, position + answer.length);": "end = position + answer.length;" },
    tests: contract,
  },
  {
    name: "an object that lacks bytes counts as kept",
    file: "src/storage/s3-upload.ts",
    replace: { "if (found?.sizeBytes === file.sizeBytes) return;": "if (found && !failure) return;" },
    tests: s3,
  },
  {
    name: "an upload whose last answer was lost counts as failed",
    file: "src/storage/s3-upload.ts",
    replace: {
      "if (found?.sizeBytes === file.sizeBytes) return;":
        "if (!failure && found?.sizeBytes === file.sizeBytes) return;",
    },
    tests: s3,
  },
  {
    name: "the object of a failed upload stays",
    file: "src/storage/s3-upload.ts",
    replace: {
      "await this.#bucket.client.send(new DeleteObjectCommand(this.#bucket.object(key))).catch(() => {});":
        "void DeleteObjectCommand;",
    },
    tests: s3,
  },
  {
    name: "a staged file that has changed on the disk is uploaded",
    file: "src/storage/s3-upload.ts",
    replace: { 'if (hash.digest("hex") === sha256) return;': 'if (hash.digest("hex") !== "" || sha256) return;' },
    tests: s3,
  },
  {
    name: "an upload in parts is aborted while it is under way",
    file: "src/storage/s3-upload.ts",
    replace: {
      "ageMs: this.#bucket.ageOf(Initiated) - limitMs": "ageMs: this.#bucket.ageOf(Initiated)",
    },
    tests: s3,
  },
  {
    name: "an upload in parts that a crash has left is never aborted",
    file: "src/storage/s3-file-store.ts",
    replace: { "await this.#uploads.abort(id);": "" },
    tests: s3,
  },
  {
    name: "every touch copies the object",
    file: "src/storage/s3-file-store.ts",
    replace: { "if (found.ageMs < this.#touchAfterMs) return;": "" },
    tests: s3,
  },
  {
    name: "ages of objects are measured by the clock of this machine",
    file: "src/storage/s3-bucket.ts",
    replace: { "Date.now() + this.#clockAheadMs -": "Date.now() -" },
    tests: s3,
  },
  {
    name: "a missing bucket counts as a missing file",
    file: "src/storage/s3-bucket.ts",
    replace: { "await this.client.send(new HeadBucketCommand({ Bucket: this.name }));": "void HeadBucketCommand;" },
    tests: s3,
  },
  {
    name: "the log holds the login for S3",
    file: "src/storage/s3-errors.ts",
    replace: { "const cause = Object.assign(new Error(error.message),": "const cause = Object.assign(error," },
    tests: s3,
  },
  {
    name: "a full bucket counts as a failure that a retry may help",
    file: "src/storage/s3-errors.ts",
    replace: { "fullCodes.has(code) || status === 507": "fullCodes.has(code)" },
    tests: s3,
  },
  {
    name: "the bucket is listed every five minutes",
    file: "src/housekeeping.ts",
    replace: { "config.STORAGE_URL ? sweepBucketEveryMs :": "config.STORAGE_URL ? sweepFilesEveryMs :" },
    tests: ["test/housekeeping.test.ts"],
  },
  {
    name: "a copied file is not read back",
    file: "src/storage/copy-files.ts",
    replace: { 'if ((await hashOf(to, key)) === sha256) return "copied";': 'if (sha256 !== "") return "copied";' },
    tests: copies,
  },
  {
    name: "a copy replaces nothing that has the right size",
    file: "src/storage/copy-files.ts",
    replace: { "(trustsSize || (await hashOf(to, key)) === sha256)": '(trustsSize || sha256 !== "")' },
    tests: copies,
  },
  {
    name: "a damaged file is copied",
    file: "src/storage/copy-files.ts",
    replace: { 'if (staged.sha256 !== sha256) return { trouble: "damaged" };': "" },
    tests: copies,
  },
  {
    name: "a copy to a store that is down tries every file",
    file: "src/storage/copy-files.ts",
    replace: { "++failures >= maxFailures": "++failures >= 100 * maxFailures" },
    tests: copies,
  },
  {
    name: "a file that fails ends the copy",
    file: "src/storage/copy-files.ts",
    replace: { "const maxFailures = 5;": "const maxFailures = 1;" },
    tests: copies,
  },
  {
    name: "failures that have nothing in common end the copy",
    file: "src/storage/copy-files.ts",
    replace: { "failures = 0; } catch": "} catch" },
    tests: copies,
  },
];
