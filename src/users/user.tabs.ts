/** The first example of GraphiQL, which signs in for those after it. */
import type { ExampleTab } from "../slice.ts";

export const userTabs: readonly ExampleTab[] = [
  {
    query: `# Welcome to Lectern. Run this first: it signs you in as the demo editor, and your browser keeps the session.
mutation SignIn {
  signIn(input: { email: "editor@lectern.example", password: "lectern-demo" }) {
    user { name role }
    expiresAt
  }
}
`,
  },
];
