/** Audio that is put into the tables past the API, by its global id. */
import type { TestDatabase } from "./database.ts";
import { globalIdOf } from "./global-ids.ts";
import * as rows from "./playlist-rows.ts";

type Queryable = Pick<TestDatabase, "query">;

/** Audio of the first user, PENDING. */
export const addPendingAudio = async (database: Queryable, title: string): Promise<string> =>
  globalIdOf("Audio", await rows.addPendingAudio(database, title));

/** Audio of the first user that a worker has decoded. */
export const addPlayableAudio = async (database: Queryable, title: string, durationMs: number): Promise<string> =>
  globalIdOf("Audio", await rows.addAudio(database, durationMs, title));
