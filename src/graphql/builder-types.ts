/** Types of the schema builder: context, scalars, authorization and models. */
import type { Role } from "../database/generated/prisma/enums.ts";
import type { StagedFile } from "../storage/file-store.ts";
import type { OperationContext } from "./context.ts";
import type { ModelTypes } from "./models.ts";

export type BuilderTypes = {
  Context: OperationContext;
  PrismaTypes: ModelTypes;
  DefaultFieldNullability: false;
  DefaultEdgesNullability: false;
  DefaultNodeNullability: false;
  AuthScopes: { trusted: boolean; reader: boolean; signedIn: boolean; role: Role };
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    /** A day as a text: a JavaScript Date would be a point in time. */
    Date: { Input: string; Output: string };
    Bytes: { Input: bigint; Output: bigint };
    File: { Input: StagedFile; Output: never };
  };
};

/** With Pothos' defaults. */
export type Types = PothosSchemaTypes.ExtendDefaultTypes<BuilderTypes>;
