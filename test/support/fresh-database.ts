import { inject } from "vitest";
import { createTestDatabase, type TestDatabase } from "./database.ts";

/** A database of the test's own, with our tables; or, from "template0", without any. */
export const freshDatabase = (template = inject("templateName")): Promise<TestDatabase> =>
  createTestDatabase(inject("serverUrl"), template);
