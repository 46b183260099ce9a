import { defineConfig } from "prisma/config";

/** For people who have Prisma's own command line with its native engine: `prisma migrate deploy` works on our folder. */
export default defineConfig({
  schema: "prisma/schema.prisma",
  migrations: { path: "prisma/migrations" },
  datasource: { url: process.env.DATABASE_URL ?? "" },
});
