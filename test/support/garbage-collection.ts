/** Loaded into a process before its program: SIGUSR2 makes it collect all garbage and then print a line with the count. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { isMainThread } from "node:worker_threads";

if (isMainThread) {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  let count = 0;
  process.on("SIGUSR2", () => {
    collect();
    console.log(`collected garbage, ${++count}.`);
  });
}
