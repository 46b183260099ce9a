/** The user on whose behalf an operation runs. */
import type { Role } from "./database/generated/prisma/enums.ts";
import { ApplicationError } from "./errors.ts";

/** Null: not signed in. */
export type Viewer = { id: string; role: Role; sessionId: string } | null;

export function isAdmin(viewer: Viewer): boolean {
  return viewer?.role === "ADMIN";
}

const ranks: Record<Role, number> = { VIEWER: 0, EDITOR: 1, ADMIN: 2 };

/** Whether the viewer has the role or a higher one. */
export function hasRole(viewer: Viewer, least: Role): boolean {
  return viewer !== null && ranks[viewer.role] >= ranks[least];
}

/** @throws ApplicationError UNAUTHENTICATED, or FORBIDDEN if the viewer has a lower role */
export function requireRole(viewer: Viewer, least: Role): NonNullable<Viewer> {
  if (!viewer) throw new ApplicationError("UNAUTHENTICATED", "Sign in first.");
  if (!hasRole(viewer, least)) throw new ApplicationError("FORBIDDEN", "Your role does not allow this.");
  return viewer;
}

/** Finds viewers. The slice of accounts provides it. */
export interface Viewers {
  /** `hasBadToken`: a bearer token was sent that is invalid or whose session has ended. */
  ofRequest(request: Pick<Request, "headers">): Promise<{ viewer: Viewer; hasBadToken: boolean }>;
  /** Reloads a viewer: the role may have changed. Null when the session has ended. */
  reload(viewer: NonNullable<Viewer>): Promise<Viewer>;
  /** The user as a viewer without a session, whose `sessionId` is empty. Null if the user does not exist. */
  ofUser(id: string): Promise<Viewer>;
  /** Drops cached sessions. Must be called after sessions or roles have changed. */
  forget(): void;
  /** Calls the listener after each `forget`. */
  onForget(listener: () => void): void;
}
