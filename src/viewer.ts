/** The user on whose behalf an operation runs. */
import type { Role } from "./database/generated/prisma/enums.ts";

/** Null: not signed in. */
export type Viewer = { id: string; role: Role; sessionId: string } | null;

export function isAdmin(viewer: Viewer): boolean {
  return viewer?.role === "ADMIN";
}

/** Finds viewers. The slice of accounts provides it. */
export interface Viewers {
  /** `hasBadToken`: a bearer token was sent that is invalid or whose session has ended. */
  ofRequest(request: Pick<Request, "headers">): Promise<{ viewer: Viewer; hasBadToken: boolean }>;
  /** Reloads a viewer: the role may have changed. Null when the session has ended. */
  reload(viewer: NonNullable<Viewer>): Promise<Viewer>;
  /** Drops cached sessions. Must be called after sessions or roles have changed. */
  forget(): void;
  /** Calls the listener after each `forget`. */
  onForget(listener: () => void): void;
}
