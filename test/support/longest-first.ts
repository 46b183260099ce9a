import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files that take ten seconds or more and are short, in the order in which they begin. */
const underrated = [
  "adding-a-slice",
  "bench",
  "memory",
  "random-queries",
  "terminations-under-load",
  "worker-processes",
  "python-worker",
  "failing-disk",
  "load-guard",
  "hostile-files",
  "viewers",
].map((name) => `/${name}.test.ts`);

/**
 * Begins with the files that take long, so that none of them is left over for a single worker at the end. Without times
 * of an earlier run, as in CI, vitest takes large files for those.
 */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isUnderrated = ({ moduleId }: TestSpecification) => underrated.some((end) => moduleId.endsWith(end));
    return [...sorted.filter(isUnderrated), ...sorted.filter((file) => !isUnderrated(file))];
  }
}
