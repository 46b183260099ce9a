import { relationsFor } from "../eager-loading/relation.ts";
import type { Viewer } from "../viewer.ts";

/** Declares the relations of all slices for Lectern's type of viewer. */
export const relations = relationsFor<Viewer>();
