import type { Role } from "./database/generated/prisma/enums.ts";

/** Who asks; null for a stranger. */
export type Viewer = { id: string; role: Role; sessionId: string } | null;

export function isAdmin(viewer: Viewer): boolean {
  return viewer?.role === "ADMIN";
}
