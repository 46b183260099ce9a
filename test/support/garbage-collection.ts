/** Loaded into a process before its program: SIGUSR2 makes it collect garbage and then print a line with the count. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { isMainThread } from "node:worker_threads";

if (isMainThread) {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as (options?: { type: "minor" }) => void;
  let count = 0;
  process.on("SIGUSR2", () => {
    // Nearly all that a request leaves is young, and a collection of everything takes ten times as long.
    if (count % 10 === 0) collect();
    else collect({ type: "minor" });
    console.log(`collected garbage, ${++count}.`);
  });
}
