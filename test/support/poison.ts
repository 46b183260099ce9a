/**
 * Loaded into our worker before all else (`node --import`): texts that begin with these words do to the library that
 * cuts them what bugs in libraries do.
 */
import { registerHooks } from "node:module";
import { isMainThread } from "node:worker_threads";
import { RecursiveCharacterTextSplitter } from "@langchain/textsplitters";

const poisons: Record<string, () => void> = {
  // As the kernel does when the machine has no memory left.
  "Kills its process.": () => process.kill(process.pid, "SIGKILL"),
  "Ends its thread.": () => process.exit(3),
  "Takes all memory.": () => {
    for (const hoard: object[] = []; ; ) hoard.push({ place: hoard.length, more: [hoard.length] });
  },
};

/** It takes seconds to load in each new thread, and has nothing to do with this. */
const tokenizer: Record<string, string> = {
  "js-tiktoken/lite": "export class Tiktoken { encode(text) { return text.split(' '); } }",
  "js-tiktoken/ranks/o200k_base": "export default {}",
};
registerHooks({
  resolve(specifier, context, next) {
    const code = tokenizer[specifier];
    return code ? { url: `data:text/javascript,${encodeURI(code)}`, shortCircuit: true } : next(specifier, context);
  },
});

if (!isMainThread) {
  const { prototype } = RecursiveCharacterTextSplitter;
  const split = prototype.splitText;
  prototype.splitText = function (text) {
    poisons[text]?.();
    return split.call(this, text);
  };
}
