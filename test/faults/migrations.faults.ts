import type { Fault } from "./fault.ts";

const contract = ["test/documents/worker-contract.test.ts"];
const queues = "prisma/migrations/20261127030200_queues/migration.sql";

export const faults: Fault[] = [
  {
    name: "a lease is extended after completion",
    file: queues,
    replace: {
      "q.progress) WHERE q.id = {noun} AND q.status = 'PROCESSING' AND": "q.progress) WHERE q.id = {noun} AND",
    },
    tests: contract,
  },
  {
    name: "a lease is extended by anybody",
    file: queues,
    replace: {
      "q.progress) WHERE q.id = {noun} AND q.status = 'PROCESSING' AND q.claim_token = claim":
        "q.progress) WHERE q.id = {noun} AND q.status = 'PROCESSING'",
    },
    tests: contract,
  },
  {
    name: "complete_document does not lock its row",
    file: queues,
    replace: { "WHERE q.id = {noun} FOR UPDATE;": "WHERE q.id = {noun};" },
    tests: contract,
  },
  {
    name: "complete_document locks its row without waiting",
    file: queues,
    replace: { "WHERE q.id = {noun} FOR UPDATE;": "WHERE q.id = {noun} FOR UPDATE SKIP LOCKED;" },
    tests: contract,
  },
  {
    name: "complete_document does not ask by which claim a document was completed",
    file: queues,
    replace: { "current.claim_token = claim AND current.status = 'COMPLETED'": "current.status = 'COMPLETED'" },
    tests: contract,
  },
  {
    name: "a completed document fails",
    file: queues,
    replace: { "- 1) WHERE q.id = {noun} AND q.status = 'PROCESSING' AND": "- 1) WHERE q.id = {noun} AND" },
    tests: contract,
  },
  {
    name: "the back-off has no bound",
    file: queues,
    replace: { "power(2, least(q.attempts, 10) - 1)": "power(2, q.attempts - 1)" },
    tests: contract,
  },
  {
    name: "the back-off is bounded later",
    file: queues,
    replace: { "power(2, least(q.attempts, 10) - 1)": "power(2, least(q.attempts, 30) - 1)" },
    tests: contract,
  },
  {
    name: "a completed document is released",
    file: queues,
    replace: {
      "lease_until = NULL WHERE q.id = {noun} AND q.status = 'PROCESSING' AND":
        "lease_until = NULL WHERE q.id = {noun} AND",
    },
    tests: contract,
  },
  {
    name: "a completed document forgets its claim",
    file: queues,
    replace: {
      "NEW.progress := 1; NEW.lease_until := NULL;":
        "NEW.progress := 1; NEW.claim_token := NULL; NEW.lease_until := NULL;",
    },
    tests: contract,
  },
];
