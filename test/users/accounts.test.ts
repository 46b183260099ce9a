/** Accounts and sessions, as the people who have them meet them. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sessionCookies } from "../../src/users/cookies.ts";
import { sweepSessions } from "../../src/users/session-sweep.ts";
import { graphql } from "../support/client/generated/gql.ts";
import { dump } from "../support/dump.ts";
import { missingUser } from "../support/global-ids.ts";
import { errorsOf, type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { post } from "../support/post.ts";

let lectern: Lectern;

beforeAll(async () => {
  lectern = await startLectern();
});
afterAll(() => lectern.stop());

const password = "a good password";

const SignUp = graphql(`
  mutation SignUpAccount($input: SignUpInput!) {
    signUp(input: $input) { accessToken refreshToken expiresAt user { id name email role } }
  }
`);

const SignIn = graphql(`
  mutation SignInAccount($input: SignInInput!) {
    signIn(input: $input) { accessToken refreshToken expiresAt user { id name email role } }
  }
`);

const Refresh = graphql(`
  mutation RefreshAccount($input: RefreshSessionInput) {
    refreshSession(input: $input) { accessToken refreshToken user { id } }
  }
`);

const SignOut = graphql(`
  mutation SignOutAccount {
    signOut { ok }
  }
`);

const Me = graphql(`
  query MeAccount {
    viewer { user { id email role } }
  }
`);

const OneUser = graphql(`
  query UserAccount($id: ID!) {
    user(id: $id) { name email role }
  }
`);

const AllUsers = graphql(`
  query UsersAccount($first: Int) {
    users(first: $first) { totalCount nodes { id email } }
  }
`);

const SetRole = graphql(`
  mutation SetRoleAccount($input: SetUserRoleInput!) {
    setUserRole(input: $input) { user { id role email } }
  }
`);

const Library = graphql(`
  query LibraryAccount {
    documents { totalCount nodes { title text owner { name email } } }
  }
`);

const Create = graphql(`
  mutation CreateAccount($input: CreateDocumentInput!) {
    createDocument(input: $input) { document { id } }
  }
`);

const codesOf = async (request: Promise<unknown>) => (await errorsOf(request)).map(({ extensions }) => extensions.code);
const bearer = (token: string) => lectern.client({ authorization: `Bearer ${token}` });

/** A mutation by somebody who keeps cookies as a browser does; `cookie` null for none. */
async function browse(query: string, cookie: string | null, headers: Record<string, string> = {}) {
  const response = await post(lectern.url, { query, headers: { ...(cookie !== null && { cookie }), ...headers } });
  const answer = (await response.json()) as { data: Record<string, never> | null; errors?: { extensions: object }[] };
  return { ...answer, status: response.status, cookies: response.headers.getSetCookie() };
}

const jarOf = (cookies: readonly string[]) => cookies.map((cookie) => cookie.split(";", 1)[0]).join("; ");

describe("signing up", () => {
  it("makes an account and a session, and shows you your own e-mail", async () => {
    const input = { email: "  Grace@Lectern.TEST ", name: " Grace Hopper ", password };
    const before = Date.now();
    const { signUp } = await lectern.client().request(SignUp, { input });
    const after = Date.now();
    expect(signUp.user).toEqual({
      id: expect.any(String),
      name: "Grace Hopper",
      email: "grace@lectern.test",
      role: "VIEWER",
    });
    // A quarter of an hour, in whole seconds.
    const expiresAt = new Date(signUp.expiresAt).getTime();
    expect(expiresAt).toBeGreaterThan(before + 900_000 - 1_000);
    expect(expiresAt).toBeLessThanOrEqual(after + 900_000);
    const { viewer } = await bearer(signUp.accessToken).request(Me);
    expect(viewer?.user).toEqual({ id: signUp.user.id, email: "grace@lectern.test", role: "VIEWER" });
  });

  it("stores the password by argon2id only", async () => {
    const { email } = await lectern.person();
    const [row] = await lectern.database.query("select * from users where email = $1", [email]);
    expect(row?.password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
    expect(JSON.stringify(await dump(lectern.database))).not.toContain(password);
  });

  it("twenty times at once with one e-mail makes one account", async () => {
    const before = await dump(lectern.database);
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const input = { email: "rush@lectern.test", name: `Rush ${index}`, password };
        const attempt = lectern.client().request(SignUp, { input });
        return attempt.then(
          () => "made",
          () => codesOf(attempt),
        );
      }),
    );
    expect(outcomes.filter((outcome) => outcome === "made")).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome !== "made")).toEqual(Array(19).fill(["DUPLICATE"]));
    const after = await dump(lectern.database);
    expect(after.users).toHaveLength((before.users?.length ?? 0) + 1);
    expect(after.sessions).toHaveLength((before.sessions?.length ?? 0) + 1);
  });

  it("is for nobody where SIGN_UP is closed, while those with an account sign in", async () => {
    const ada = await lectern.person("Ada");
    const closed = await startLectern({ settings: { SIGN_UP: "closed" }, database: lectern.database });
    try {
      const before = await dump(lectern.database);
      const input = { email: "late@lectern.test", name: "Late", password };
      expect(await codesOf(closed.client().request(SignUp, { input }))).toEqual(["FORBIDDEN"]);
      expect(await dump(lectern.database)).toEqual(before);
      const { signIn } = await closed.client().request(SignIn, { input: { email: ada.email, password } });
      expect(signIn.user.id).toBe(ada.id);
    } finally {
      await closed.stop();
    }
  });
});

describe("an operation that signs up", () => {
  it("goes on as its new user, and is undone as one", async () => {
    const query = (email: string, title: string) => `mutation {
      signUp(input: { email: "${email}", name: "Newcomer", password: "a good password" }) { user { id email } }
      createDocument(input: { source: { text: "The first text of ${email}" }, title: "${title}" }) {
        document { title owner { id email } }
      }
    }`;
    const made = (await browse(query("newcomer@lectern.test", "First"), null)).data as never as {
      signUp: { user: { id: string; email: string } };
      createDocument: { document: { title: string; owner: { id: string; email: string } } };
    };
    expect(made.createDocument.document).toEqual({ title: "First", owner: made.signUp.user });
    const refused = await browse(query("nobody@lectern.test", " "), null);
    expect([refused.data, refused.cookies]).toEqual([null, []]);
    expect(await lectern.database.query("select 1 from users where email = 'nobody@lectern.test'")).toEqual([]);
  });
});

describe("a token that is not good any more", () => {
  it("does not keep anybody from signing in or refreshing, and is good for nothing else", async () => {
    const ada = await lectern.person("Ada");
    const stale = bearer("not.a.token");
    const input = { refreshToken: ada.refreshToken };
    const { refreshSession } = await stale.request<{ refreshSession: { user: { id: string } } }>(
      "mutation ($input: RefreshSessionInput) { refreshSession(input: $input) { user { id } } }",
      { input },
    );
    expect(refreshSession.user.id).toBe(ada.id);
    for (const query of ["{ viewer { user { id } } }", "{ documents { totalCount } }", "mutation { signOut { ok } }"]) {
      expect(await codesOf(stale.request(query))).toContain("UNAUTHENTICATED");
    }
  });
});

describe("signing in", () => {
  it("starts a session of its own each time", async () => {
    const ada = await lectern.person("Ada");
    const input = { email: ` ${ada.email.toUpperCase()} `, password };
    const first = (await lectern.client().request(SignIn, { input })).signIn;
    const second = (await lectern.client().request(SignIn, { input })).signIn;
    expect(first.user).toEqual({ id: ada.id, name: "Ada", email: ada.email, role: "VIEWER" });
    expect(first.refreshToken).not.toBe(second.refreshToken);

    await bearer(first.accessToken).request(SignOut);
    expect(await codesOf(bearer(first.accessToken).request(Me))).toEqual(["UNAUTHENTICATED"]);
    expect((await bearer(second.accessToken).request(Me)).viewer?.user.id).toBe(ada.id);
    expect((await ada.client.request(Me)).viewer?.user.id).toBe(ada.id);
  });

  it("takes no token that is not ours, changed, or of another server", async () => {
    const { accessToken } = await lectern.person();
    const [header, claims, signature] = accessToken.split(".") as [string, string, string];
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const decoded = JSON.parse(Buffer.from(claims, "base64url").toString());
    const tokens = [
      "nonsense",
      `${header}.${claims}.`,
      `${encode({ alg: "none", typ: "at+jwt" })}.${claims}.`,
      `${encode({ alg: "none", typ: "at+jwt" })}.${claims}.${signature}`,
      `${header}.${encode({ ...decoded, exp: decoded.exp + 1 })}.${signature}`,
      `${header}.${claims}.${signature.slice(0, -2)}AA`,
    ];
    for (const token of tokens) expect(await codesOf(bearer(token).request(Me))).toEqual(["UNAUTHENTICATED"]);

    const other = await startLectern({
      settings: { AUTH_SECRET: "another secret, of another server than this one" },
      database: lectern.database,
    });
    try {
      const elsewhere = other.client({ authorization: `Bearer ${accessToken}` });
      expect(await codesOf(elsewhere.request(Me))).toEqual(["UNAUTHENTICATED"]);
    } finally {
      await other.stop();
    }
  });
});

describe("a token of a server with the same secret and another address", () => {
  it("is refused, although the database knows its session", async () => {
    const { accessToken } = await lectern.person();
    const other = await startLectern({ database: lectern.database, publicUrl: "http://other.test" });
    try {
      const elsewhere = other.client({ authorization: `Bearer ${accessToken}` });
      expect(await codesOf(elsewhere.request(Me))).toEqual(["UNAUTHENTICATED"]);
    } finally {
      await other.stop();
    }
    expect((await bearer(accessToken).request(Me)).viewer).not.toBeNull();
  });
});

describe("refreshing", () => {
  const refresh = (refreshToken: string) => lectern.client().request(Refresh, { input: { refreshToken } });

  it("gives new tokens for the same session, and the old refresh token's use ends it", async () => {
    const ada = await lectern.person("Ada");
    const { refreshSession: second } = await refresh(ada.refreshToken);
    expect(second.user.id).toBe(ada.id);
    const { refreshSession: third } = await refresh(second.refreshToken);
    expect(new Set([ada.refreshToken, second.refreshToken, third.refreshToken]).size).toBe(3);
    expect((await bearer(third.accessToken).request(Me)).viewer?.user.id).toBe(ada.id);

    // Somebody has a copy of the first one.
    expect(await codesOf(refresh(ada.refreshToken))).toEqual(["UNAUTHENTICATED"]);

    expect(await codesOf(refresh(third.refreshToken))).toEqual(["UNAUTHENTICATED"]);
    for (const token of [ada.accessToken, second.accessToken, third.accessToken]) {
      expect(await codesOf(bearer(token).request(Me))).toEqual(["UNAUTHENTICATED"]);
    }
  });

  it("is done once, when ten do it at once with one token", async () => {
    const ada = await lectern.person("Ada");
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => refresh(ada.refreshToken)));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(await codesOf(ada.client.request(Me))).toEqual(["UNAUTHENTICATED"]);
  });

  it("takes no other token, and then changes nothing", async () => {
    const ada = await lectern.person("Ada");
    const [session, secret] = ada.refreshToken.split(".") as [string, string];
    const before = await dump(lectern.database);
    const unknown = "01890000-0000-7000-8000-000000000000";
    for (const token of [
      "",
      "nonsense",
      session,
      `${"-".repeat(36)}.${secret}`,
      `${unknown}.${secret}`,
      `${ada.refreshToken}x`,
      ada.accessToken,
    ]) {
      expect(await codesOf(refresh(token))).toEqual(["UNAUTHENTICATED"]);
    }
    expect(await codesOf(lectern.client().request(Refresh, {}))).toEqual(["UNAUTHENTICATED"]);
    expect(await dump(lectern.database)).toEqual(before);
    expect((await refresh(ada.refreshToken)).refreshSession.user.id).toBe(ada.id);
  });

  it("is forgotten a day after its session expired", async () => {
    const [ada, bob] = [await lectern.person("Ada"), await lectern.person("Bob")];
    const sessionOf = ({ refreshToken }: Person) => refreshToken.split(".", 1)[0] as string;
    const expire = "update sessions set expires_at = now() - $2::interval where id = $1";
    await lectern.database.query(expire, [sessionOf(ada), "25 hours"]);
    await lectern.database.query(expire, [sessionOf(bob), "23 hours"]);
    const before = await dump(lectern.database);
    expect(await sweepSessions(lectern.application.run)).toBe(1);
    expect(await sweepSessions(lectern.application.run)).toBe(0);
    const left = before.sessions?.filter((session) => !session.startsWith(`(${sessionOf(ada)}`));
    expect(await dump(lectern.database)).toEqual({ ...before, sessions: left });
    expect(await codesOf(refresh(ada.refreshToken))).toEqual(["UNAUTHENTICATED"]);
  });

  it("ends with the session's life", async () => {
    const ada = await lectern.person("Ada");
    await lectern.database.query("update sessions set expires_at = now() - interval '1 second' where id = $1", [
      ada.refreshToken.split(".", 1)[0],
    ]);
    lectern.application.viewers.forget();
    const before = await dump(lectern.database);
    expect(await codesOf(refresh(ada.refreshToken))).toEqual(["UNAUTHENTICATED"]);
    expect(await codesOf(ada.client.request(Me))).toEqual(["UNAUTHENTICATED"]);
    expect(await dump(lectern.database)).toEqual(before);
  });
});

describe("signing out", () => {
  it("ends the session at once: both of its tokens are refused", async () => {
    const ada = await lectern.person("Ada");
    expect((await ada.client.request(Me)).viewer?.user.id).toBe(ada.id);
    expect(await ada.client.request(SignOut)).toEqual({ signOut: { ok: true } });
    const before = await dump(lectern.database);
    expect(await codesOf(ada.client.request(Me))).toEqual(["UNAUTHENTICATED"]);
    const create = ada.client.request(Create, { input: { source: { text: "After the end." } } });
    expect(await codesOf(create)).toEqual(["UNAUTHENTICATED"]);
    const refresh = lectern.client().request(Refresh, { input: { refreshToken: ada.refreshToken } });
    expect(await codesOf(refresh)).toEqual(["UNAUTHENTICATED"]);
    expect(await dump(lectern.database)).toEqual(before);
  });

  it("is for those who are signed in", async () => {
    expect(await codesOf(lectern.client().request(SignOut))).toEqual(["UNAUTHENTICATED"]);
  });
});

describe("cookies", () => {
  const signIn = (email: string) =>
    `mutation { signIn(input: { email: "${email}", password: "${password}" }) { user { id } } }`;

  it("carry a session alone, out of reach of scripts", async () => {
    const ada = await lectern.person("Ada");
    const { data, cookies } = await browse(signIn(ada.email), null);
    expect(data).toEqual({ signIn: { user: { id: ada.id } } });
    expect(cookies.map((cookie) => cookie.replace(/=[^;]+/, "=…").replace(/Expires=[^;]+/, "Expires=…"))).toEqual([
      "lectern-access=…; Path=/; Expires=…; HttpOnly; SameSite=Lax",
      "lectern-refresh=…; Path=/; HttpOnly; SameSite=Lax",
    ]);
    for (const cookie of cookies) expect(cookie.length).toBeLessThan(4_096);

    const jar = jarOf(cookies);
    const header = { "graphql-require-preflight": "1" };
    const create = `mutation { createDocument(input: { source: { text: "By cookie." } }) { document { title } } }`;
    const created = await browse(create, jar, header);
    expect(created.data).toEqual({ createDocument: { document: { title: "By cookie." } } });
    const me = await browse("{ viewer { user { id } } }", jar, header);
    expect(me.data).toEqual({ viewer: { user: { id: ada.id } } });

    const refreshed = await browse("mutation { refreshSession { user { id } } }", jar, header);
    expect(refreshed.data).toEqual({ refreshSession: { user: { id: ada.id } } });
    const fresh = jarOf(refreshed.cookies);
    expect(fresh).not.toBe(jar);

    const out = await browse("mutation { signOut { ok } }", fresh, header);
    expect(out.data).toEqual({ signOut: { ok: true } });
    expect(out.cookies).toEqual([
      "lectern-access=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax",
      "lectern-refresh=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax",
    ]);
    // An old cookie is no error, and nobody's session.
    expect((await browse("{ viewer { user { id } } }", fresh, header)).data).toEqual({ viewer: null });
  });

  it("change nothing by a form of another site", async () => {
    const ada = await lectern.person("Ada");
    const jar = jarOf((await browse(signIn(ada.email), null)).cookies);
    const before = await dump(lectern.database);
    const query = `mutation { createDocument(input: { source: { text: "Forged." } }) { isDuplicate } }`;
    const form = new FormData();
    form.set("operations", JSON.stringify({ query }));
    form.set("map", "{}");
    const bodies: [BodyInit, Record<string, string>][] = [
      [new URLSearchParams({ query }), {}],
      [form, {}],
      [JSON.stringify({ query }), { "content-type": "text/plain" }],
    ];
    for (const [body, headers] of bodies) {
      const response = await fetch(lectern.url, { method: "POST", body, headers: { ...headers, cookie: jar } });
      expect(response.status).toBe(403);
    }
    expect(await dump(lectern.database)).toEqual(before);
  });

  it("are not set by a sign-in that was undone", async () => {
    const ada = await lectern.person("Ada");
    const before = await dump(lectern.database);
    const query = `mutation {
      signIn(input: { email: "${ada.email}", password: "${password}" }) { user { id } }
      createDocument(input: { source: { text: "" } }) { isDuplicate }
    }`;
    const { data, errors, cookies } = await browse(query, null);
    expect(data).toBeNull();
    expect(errors?.map(({ extensions }) => (extensions as { code: string }).code)).toContain("ROLLED_BACK");
    expect(cookies).toEqual([]);
    expect(await dump(lectern.database)).toEqual(before);
  });

  it("belong to this host alone where there is TLS", () => {
    const tokens = { accessToken: "access", refreshToken: "refresh", expiresAt: new Date(0) };
    expect(sessionCookies(tokens, true)).toEqual([
      "__Host-lectern-access=access; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax",
      "__Host-lectern-refresh=refresh; Path=/; HttpOnly; Secure; SameSite=Lax",
    ]);
  });
});

describe("roles", () => {
  it("are changed by admins only, and hold at once", async () => {
    const people = await startLectern();
    try {
      const [admin, editor, viewer] = [
        await people.person("Ada", "ADMIN"),
        await people.person("Edith", "EDITOR"),
        await people.person("Victor"),
      ];
      const promote = { input: { userId: viewer.id, role: "ADMIN" } } as const;
      const before = await dump(people.database);
      for (const client of [viewer.client, editor.client]) {
        expect(await codesOf(client.request(SetRole, promote))).toEqual(["FORBIDDEN"]);
      }
      expect(await codesOf(people.client().request(SetRole, promote))).toEqual(["UNAUTHENTICATED"]);
      expect(await dump(people.database)).toEqual(before);

      expect((await admin.client.request(SetRole, promote)).setUserRole.user).toEqual({
        id: viewer.id,
        role: "ADMIN",
        email: viewer.email,
      });
      const demote = { input: { userId: admin.id, role: "VIEWER" } } as const;
      expect((await viewer.client.request(SetRole, demote)).setUserRole.user.role).toBe("VIEWER");
      expect(await codesOf(admin.client.request(SetRole, promote))).toEqual(["FORBIDDEN"]);
    } finally {
      await people.stop();
    }
  });

  it("leave at least one admin, also when two demote each other at once", async () => {
    const people = await startLectern();
    try {
      const ada = await people.person("Ada", "ADMIN");
      const toEditor = (userId: string) => ({ input: { userId, role: "EDITOR" } }) as const;
      const before = await dump(people.database);
      const [error] = await errorsOf(ada.client.request(SetRole, toEditor(ada.id)));
      expect(error?.extensions).toMatchObject({ code: "INVALID_STATE", inputPath: ["input", "role"] });
      expect(await dump(people.database)).toEqual(before);
      // To be what one is already is no change of roles.
      const same = await ada.client.request(SetRole, { input: { userId: ada.id, role: "ADMIN" } });
      expect(same.setUserRole.user.role).toBe("ADMIN");

      const bob = await people.person("Bob", "ADMIN");
      const outcomes = await Promise.allSettled([
        ada.client.request(SetRole, toEditor(bob.id)),
        bob.client.request(SetRole, toEditor(ada.id)),
      ]);
      expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
      expect(await people.database.query("select count(*)::int from users where role = 'ADMIN'")).toEqual([
        { count: 1 },
      ]);
    } finally {
      await people.stop();
    }
  });

  it("are of users that exist", async () => {
    const admin = await lectern.person("Ada", "ADMIN");
    const { id: documentId } = await admin.document();
    const before = await dump(lectern.database);
    const setRole = (userId: string) => admin.client.request(SetRole, { input: { userId, role: "EDITOR" } });
    const inputPath = ["input", "userId"];
    expect((await errorsOf(setRole(missingUser)))[0]?.extensions).toMatchObject({ code: "NOT_FOUND", inputPath });
    expect((await errorsOf(setRole(documentId)))[0]?.extensions).toMatchObject({ code: "BAD_USER_INPUT", inputPath });
    expect(await dump(lectern.database)).toEqual(before);
  });
});

describe("an e-mail", () => {
  it("is shown to its owner and to admins, through every edge", async () => {
    const [ada, bob, admin] = [
      await lectern.person("Ada"),
      await lectern.person("Bob"),
      await lectern.person("Root", "ADMIN"),
    ];
    await ada.document({ visibility: "SHARED", text: "Ada's shared text." });
    const seenBy = async ({ client }: { client: typeof bob.client }) => {
      const { user } = await client.request(OneUser, { id: ada.id });
      const { users } = await client.request(AllUsers, { first: 100 });
      const { documents } = await client.request(Library);
      return [
        user?.email,
        users.nodes.find(({ id }) => id === ada.id)?.email,
        documents.nodes.find(({ title }) => title === "Ada's shared text.")?.owner.email,
      ];
    };
    expect(await seenBy(bob)).toEqual([null, null, null]);
    expect(await seenBy(ada)).toEqual([ada.email, ada.email, ada.email]);
    expect(await seenBy(admin)).toEqual([ada.email, ada.email, ada.email]);
  });
});

describe("a stranger", () => {
  it("sees nothing, and may sign up and sign in", async () => {
    const ada = await lectern.person("Ada");
    const { id } = await ada.document({ visibility: "SHARED", text: "Shared, but not with strangers." });
    const stranger = lectern.client();
    const before = await dump(lectern.database);
    expect(await stranger.request(Me)).toEqual({ viewer: null });
    expect(await codesOf(stranger.request(Library))).toEqual(["UNAUTHENTICATED"]);
    expect(await codesOf(stranger.request(AllUsers, {}))).toEqual(["UNAUTHENTICATED"]);
    expect(await codesOf(stranger.request(OneUser, { id: ada.id }))).toEqual(["UNAUTHENTICATED"]);
    for (const query of [
      `{ node(id: "${id}") { id } }`,
      `{ nodes(ids: ["${id}"]) { id } }`,
      `{ document(id: "${id}") { title } }`,
      `{ searchChunks(query: "shared") { totalCount } }`,
      `mutation { updateDocument(input: { id: "${id}", expectedVersion: 1, title: "Taken" }) { document { id } } }`,
      `mutation { deleteDocument(input: { id: "${id}" }) { deletedId } }`,
      `mutation { reprocessDocument(input: { id: "${id}" }) { document { id } } }`,
    ]) {
      expect(await codesOf(stranger.request(query))).toEqual(["UNAUTHENTICATED"]);
    }
    const create = stranger.request(Create, { input: { source: { text: "A stranger's." } } });
    expect(await codesOf(create)).toEqual(["UNAUTHENTICATED"]);
    expect(await dump(lectern.database)).toEqual(before);
  });

  it("reads the shared library where PUBLIC_READ says so, and changes nothing", async () => {
    const open = await startLectern({ settings: { PUBLIC_READ: "true" } });
    try {
      const ada = await open.person("Ada");
      await ada.document({ text: "Ada's shared text.", visibility: "SHARED" });
      const hidden = await ada.document({ text: "Ada's private text." });
      const stranger = open.client();
      expect(await stranger.request(Library)).toEqual({
        documents: {
          totalCount: 1,
          nodes: [{ title: "Ada's shared text.", text: "Ada's shared text.", owner: { name: "Ada", email: null } }],
        },
      });
      expect(await stranger.request(`{ node(id: "${hidden.id}") { id } }`)).toEqual({ node: null });
      expect(await stranger.request(Me)).toEqual({ viewer: null });

      const before = await dump(open.database);
      const create = stranger.request(Create, { input: { source: { text: "A stranger's." } } });
      expect(await codesOf(create)).toEqual(["UNAUTHENTICATED"]);
      expect(await codesOf(stranger.request(SignOut))).toEqual(["UNAUTHENTICATED"]);
      expect(await dump(open.database)).toEqual(before);
    } finally {
      await open.stop();
    }
  });
});
