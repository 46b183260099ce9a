/** Reads and writes users and sessions in units of work. */
import type { Role } from "../database/generated/prisma/enums.ts";
import { type SessionRow, tables, type UserRow } from "../database/generated/tables.ts";
import { isUniqueViolation } from "../database/sql-errors.ts";
import { columnsOf, selectList, sql } from "../eager-loading/sql.ts";
import type { UnitOfWork } from "../unit-of-work/unit-of-work.ts";

export type NewUser = { email: string; name: string; role: Role; passwordHash: string };
export type NewSession = { id: string; userId: string; refreshHash: string; expiresAt: Date };

export interface UserRepository {
  /** @throws EmailTakenError */
  create(user: NewUser): Promise<UserRow>;
  /** Does not begin the transaction, because the next step, verifying the password, is slow. */
  findCredentials(email: string): Promise<{ id: string; passwordHash: string } | null>;
  find(id: string): Promise<UserRow | null>;
  /** Locks all admins in the order of their ids, so that two demotions cannot both rely on the other admin. */
  lockAdmins(): Promise<string[]>;
  setRole(id: string, role: Role): Promise<UserRow>;
  setPasswordHash(id: string, passwordHash: string): Promise<void>;
}

export interface SessionRepository {
  create(session: NewSession): Promise<void>;
  /** Locks the session until the unit of work ends, so that a refresh token is used only once. */
  lock(id: string): Promise<SessionRow | null>;
  rotate(id: string, refreshHash: string, expiresAt: Date): Promise<void>;
  revoke(id: string): Promise<void>;
}

export class EmailTakenError extends Error {
  override name = "EmailTakenError";
}

export function userRepository(uow: UnitOfWork): UserRepository {
  const user = columnsOf(tables.User, "t");
  return {
    async create(data) {
      const prisma = await uow.transaction();
      try {
        return await prisma.user.create({ data });
      } catch (error) {
        if (isUniqueViolation(error)) throw new EmailTakenError("The e-mail is in use.", { cause: error });
        throw error;
      }
    },

    async findCredentials(email) {
      const rows = await uow.reader.read(
        sql`select ${user.id}, ${user.passwordHash} as "passwordHash" from users t where ${user.email} = ${email}`,
      );
      return (rows[0] as { id: string; passwordHash: string } | undefined) ?? null;
    },

    async find(id) {
      const rows = await uow.reader.read(sql`select ${selectList(tables.User, "t")} from users t where id = ${id}`);
      return (rows[0] as UserRow | undefined) ?? null;
    },

    async lockAdmins() {
      const prisma = await uow.transaction();
      const rows = await prisma.$queryRaw<{ id: string }[]>`
        select id from users where role = 'ADMIN' order by id for update`;
      return rows.map(({ id }) => id);
    },

    async setRole(id, role) {
      const prisma = await uow.transaction();
      return prisma.user.update({ where: { id }, data: { role } });
    },

    async setPasswordHash(id, passwordHash) {
      const prisma = await uow.transaction();
      await prisma.user.update({ where: { id }, data: { passwordHash } });
    },
  };
}

export function sessionRepository(uow: UnitOfWork): SessionRepository {
  return {
    async create(data) {
      const prisma = await uow.transaction();
      await prisma.session.create({ data });
    },

    async lock(id) {
      const prisma = await uow.transaction();
      await prisma.$queryRaw`select 1 from sessions where id = ${id}::uuid for update`;
      return prisma.session.findUnique({ where: { id } });
    },

    async rotate(id, refreshHash, expiresAt) {
      const prisma = await uow.transaction();
      await prisma.$executeRaw`
        update sessions set refresh_hash = ${refreshHash}, expires_at = ${expiresAt}, refreshed_at = now()
        where id = ${id}::uuid`;
    },

    async revoke(id) {
      const prisma = await uow.transaction();
      await prisma.$executeRaw`update sessions set revoked_at = now() where id = ${id}::uuid and revoked_at is null`;
    },
  };
}
