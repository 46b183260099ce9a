import { relationsFor } from "../eager-loading/relation.ts";
import type { Viewer } from "../viewer.ts";

/** The words every slice declares its relations with, for our viewer. */
export const relations = relationsFor<Viewer>();
