/** A process that does whatever a test tells it, in the body of an asynchronous function with `report`. */
import { answerTask } from "../../src/processing/process-task.ts";

await answerTask<{ code: string }, unknown>(({ code }, report) =>
  new Function("report", "require", `return (async () => { ${code} })();`)(report, process.getBuiltinModule),
);
