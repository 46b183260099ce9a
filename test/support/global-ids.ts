/** Ids as the API shows them, and as they stand in rows. */
export const uuidOf = (globalId: string): string =>
  Buffer.from(globalId, "base64url").toString().split(":")[1] as string;

export const globalIdOf = (type: string, uuid: string): string => Buffer.from(`${type}:${uuid}`).toString("base64url");

/** Well-formed ids of what is not there. */
export const missingDocument = globalIdOf("Document", "00000000-0000-7000-8000-000000000000");
export const missingUser = globalIdOf("User", "00000000-0000-7000-8000-000000000000");
