/** The first example of GraphiQL, which signs in for the others. */
import type { ExampleTab } from "../slice.ts";

export const userTabs: readonly ExampleTab[] = [
  {
    query: `# Welcome to Lectern. Run this first: it signs you in as the demo editor. Your browser stores the session.
mutation SignIn {
  signIn(input: { email: "editor@lectern.example", password: "lectern-demo" }) {
    user { name role }
    expiresAt
  }
}
`,
  },
];
