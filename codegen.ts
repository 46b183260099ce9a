import type { CodegenConfig } from "@graphql-codegen/cli";

/** The typed client of the tests, from the committed schema: what a user of the API would generate for theirs. */
export default {
  schema: "schema.graphql",
  documents: ["test/**/*.ts", "!test/support/client/generated/**"],
  generates: {
    "test/support/client/generated/": {
      preset: "client",
      presetConfig: { fragmentMasking: false },
      config: {
        useTypeImports: true,
        importExtension: ".ts",
        enumsAsTypes: true,
        strictScalars: true,
        scalars: { DateTime: "string", Date: "string", Bytes: "number", File: { input: "File", output: "never" } },
      },
    },
  },
} satisfies CodegenConfig;
