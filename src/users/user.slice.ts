/** Accounts and sessions. */
import type { Slice } from "../slice.ts";
import { Authentication } from "./authentication.ts";
import { argon2Passwords } from "./passwords.ts";
import { RequestViewers } from "./request-viewers.ts";
import { sweepSessions } from "./session-sweep.ts";
import { Tokens } from "./tokens.ts";
import { type SessionRepository, sessionRepository, type UserRepository, userRepository } from "./user.repository.ts";
import { UserService } from "./user.service.ts";
import { userTabs } from "./user.tabs.ts";

declare module "../unit-of-work/unit-of-work.ts" {
  interface Repositories {
    users: UserRepository;
    sessions: SessionRepository;
  }
}
declare module "../graphql/context.ts" {
  interface Services {
    users: UserService;
  }
}

export const userSlice: Slice = {
  types: () => Promise.all([import("./user.schema.ts"), import("./user.mutations.ts")]),
  repositories: (uow) => ({ users: userRepository(uow), sessions: sessionRepository(uow) }),
  open({ config, publicUrl, isSecure, run, reads }) {
    const tokens = new Tokens({
      secret: config.AUTH_SECRET,
      issuer: publicUrl,
      accessSeconds: config.ACCESS_TOKEN_SECONDS,
      refreshSeconds: config.REFRESH_TOKEN_SECONDS,
    });
    const viewers = new RequestViewers(new Authentication(tokens, reads), isSecure);
    const passwords = argon2Passwords();
    const forgetSessions = () => viewers.forget();
    const endSession = async (sessionId: string) => {
      await run({ name: "end a stolen session" }, ({ sessions }) => sessions.revoke(sessionId));
      forgetSessions();
    };
    const isSignUpOpen = config.SIGN_UP === "open";
    return {
      viewers,
      services: (uow) => ({
        users: new UserService({ uow, passwords, tokens, isSignUpOpen, endSession, forgetSessions }),
      }),
    };
  },
  sweeps: [{ name: "sweeping sessions", everyMs: 600_000, sweep: sweepSessions }],
  tabs: userTabs,
};
