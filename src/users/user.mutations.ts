import type { UserRow } from "../database/generated/tables.ts";
import { ApplicationError } from "../errors.ts";
import { builder } from "../graphql/builder.ts";
import { type OperationContext, scopeOf, servicesOf } from "../graphql/context.ts";
import { decodeGlobalId } from "../graphql/global-id.ts";
import { parseCookies, sessionCookies } from "./cookies.ts";
import { Role, User } from "./user.schema.ts";
import type { SignedIn } from "./user.service.ts";

const SignUpInput = builder.inputType("SignUpInput", {
  description: "A new account.",
  fields: (t) => ({
    email: t.string({ required: true, description: "The e-mail address to sign in with. Case is ignored." }),
    name: t.string({ required: true, description: "1 to 200 characters." }),
    password: t.string({ required: true, description: "8 to 128 characters of any kind." }),
  }),
});

const SignInInput = builder.inputType("SignInInput", {
  description: "The credentials of an account.",
  fields: (t) => ({
    email: t.string({ required: true, description: "Your account's e-mail address." }),
    password: t.string({ required: true, description: "Your password." }),
  }),
});

const RefreshSessionInput = builder.inputType("RefreshSessionInput", {
  description: "The session to go on with. Omit it when the refresh cookie is sent.",
  fields: (t) => ({
    refreshToken: t.string({ required: true, description: "The newest refresh token. Each is valid for one use." }),
  }),
});

const SignInPayload = builder.objectRef<SignedIn>("SignInPayload").implement({
  description: "A session and its tokens, which are also set as HttpOnly cookies.",
  fields: (t) => ({
    user: t.field({ type: User, description: "The user who is now signed in.", resolve: ({ user }) => user }),
    accessToken: t.exposeString("accessToken", { description: "Send it as `Authorization: Bearer …`." }),
    refreshToken: t.exposeString("refreshToken", { description: "For one call of `refreshSession`." }),
    expiresAt: t.expose("expiresAt", { type: "DateTime", description: "When the access token expires." }),
  }),
});

/** The session begins with this very answer: it is shown as its user may see it, and sets the cookies. */
function startSession(signedIn: SignedIn, { mutation, setCookie, isSecure }: OperationContext): SignedIn {
  const { id, role } = signedIn.user;
  scopeOf(mutation, "Only a mutation signs somebody in.").become({ id, role, sessionId: signedIn.sessionId });
  for (const cookie of sessionCookies(signedIn, isSecure)) setCookie(cookie);
  return signedIn;
}

const SignOutPayload = builder.objectRef<{ ok: boolean }>("SignOutPayload").implement({
  description: "The end of a session.",
  fields: (t) => ({ ok: t.exposeBoolean("ok", { description: "Always true." }) }),
});

const SetUserRoleInput = builder.inputType("SetUserRoleInput", {
  description: "A user's new role.",
  fields: (t) => ({
    userId: t.id({ required: true, description: "The user." }),
    role: t.field({ type: Role, required: true, description: "The new role." }),
  }),
});

const SetUserRolePayload = builder.objectRef<{ user: UserRow }>("SetUserRolePayload").implement({
  description: "The user with the new role.",
  fields: (t) => ({ user: t.field({ type: User, description: "The user.", resolve: ({ user }) => user }) }),
});

builder.mutationFields((t) => ({
  signUp: t.field({
    type: SignInPayload,
    description: "Creates an account and starts a session. FORBIDDEN where sign-up is closed.",
    hasSecretAnswer: true,
    prepare: ({ input }, context) => servicesOf(context).users.prepareSignUp(input),
    args: { input: t.arg({ type: SignUpInput, required: true, description: "The account." }) },
    resolve: async (_root, { input }, context) => startSession(await servicesOf(context).users.signUp(input), context),
  }),
  signIn: t.field({
    type: SignInPayload,
    description: "Starts a session.",
    hasSecretAnswer: true,
    prepare: ({ input }, context) => servicesOf(context).users.prepareSignIn(input),
    args: { input: t.arg({ type: SignInInput, required: true, description: "Your credentials." }) },
    resolve: async (_root, { input }, context) => startSession(await servicesOf(context).users.signIn(input), context),
  }),
  refreshSession: t.field({
    type: SignInPayload,
    description: "Issues new tokens for a session. A refresh token that was used before ends its session.",
    hasSecretAnswer: true,
    forbidsDryRun: true,
    args: { input: t.arg({ type: RefreshSessionInput, description: "Omit it when the refresh cookie is sent." }) },
    resolve: async (_root, { input }, context) => {
      const token =
        input?.refreshToken ?? parseCookies(context.request.headers.get("cookie"), context.isSecure).refresh;
      if (!token) throw new ApplicationError("UNAUTHENTICATED", "Send a refresh token.");
      return startSession(await servicesOf(context).users.refresh(token), context);
    },
  }),
  signOut: t.field({
    type: SignOutPayload,
    authScopes: { signedIn: true },
    description: "Ends your session and clears its cookies.",
    resolve: async (_root, _args, context) => {
      const { viewer, setCookie, isSecure } = context;
      if (viewer) await servicesOf(context).users.revoke(viewer.sessionId);
      for (const cookie of sessionCookies(null, isSecure)) setCookie(cookie);
      return { ok: true };
    },
  }),
  setUserRole: t.field({
    type: SetUserRolePayload,
    authScopes: { role: "ADMIN" },
    description: "Changes a user's role. The last admin cannot be given another one.",
    args: { input: t.arg({ type: SetUserRoleInput, required: true, description: "The user and the role." }) },
    resolve: async (_root, { input }, context) => ({
      user: await servicesOf(context).users.setRole(
        context.viewer,
        decodeGlobalId("User", input.userId, ["input", "userId"]),
        input.role,
      ),
    }),
  }),
}));
