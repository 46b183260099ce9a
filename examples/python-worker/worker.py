"""Cuts Lectern's text documents into paragraphs: a worker by the contract in docs/workers.md."""
import asyncio, json, os, re, signal, socket, uuid
from datetime import timedelta

import asyncpg

WORKER = f"{socket.gethostname()}/{os.getpid()}/{uuid.uuid4().hex[:8]}"
LEASE = timedelta(seconds=float(os.environ.get("LEASE_SECONDS", "30")))
POLL_SECONDS = 5
MAX_ATTEMPTS = 5
# Other formats need the file store, which this worker does not have.
FORMATS = ["text/plain", "text/markdown"]


def utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def count_tokens(text: str) -> int:
    """An estimate, since Debian packages no tokenizer: a token per word, mark, and four further letters."""
    return sum(1 + (len(part) - 1) // 4 for part in re.findall(r"\w+|[^\w\s]", text))


def chunk(text: str) -> list[dict]:
    """One chunk per paragraph, without the white space around it."""
    chunks = []
    offset = 0  # of the current piece, in UTF-16 code units
    for piece in re.split(r"(\n\s*\n)", text):
        body = piece.strip()
        if body:
            start = offset + utf16_length(piece[: len(piece) - len(piece.lstrip())])
            end = start + utf16_length(body)
            chunks.append({"text": body, "startOffset": start, "endOffset": end, "tokenCount": count_tokens(body)})
        offset += utf16_length(piece)
    return chunks


def tell(_connection: asyncpg.Connection, message: asyncpg.PostgresLogMessage) -> None:
    """Prints the notice that explains a lost claim: the state of the document, its worker and its claim."""
    print(f"{WORKER}: {message.message}", flush=True)


async def call(pool: asyncpg.Pool, query: str, *arguments: object) -> object:
    async with pool.acquire() as connection:
        connection.add_log_listener(tell)
        try:
            return await connection.fetchval(query, *arguments)
        finally:
            connection.remove_log_listener(tell)


async def keep_lease(pool: asyncpg.Pool, job: asyncpg.Record) -> None:
    while True:
        await asyncio.sleep(LEASE.total_seconds() / 3)
        try:
            if not await call(pool, "select extend_document_lease($1, $2, $3)", job["id"], job["claim"], LEASE):
                return
        except (OSError, asyncpg.PostgresError) as error:
            print(f"extending the lease failed: {error}", flush=True)


async def process(pool: asyncpg.Pool, job: asyncpg.Record) -> None:
    mine = (job["id"], job["claim"])
    heartbeat = asyncio.create_task(keep_lease(pool, job))
    try:
        # In a thread, so that the heartbeat continues.
        chunks = await asyncio.to_thread(chunk, job["text"])
        stands = await call(pool, "select complete_document($1, $2, $3::jsonb)", *mine, json.dumps(chunks))
        print(f"{job['id']}: {len(chunks)} chunks" if stands else f"{job['id']}: the claim was lost", flush=True)
    except asyncio.CancelledError:
        await call(pool, "select release_document($1, $2)", *mine)
        raise
    except Exception as error:
        reason = str(error) or type(error).__name__
        await call(pool, "select fail_document($1, $2, $3, $4)", *mine, reason, MAX_ATTEMPTS)
        print(f"{job['id']}: attempt {job['attempt']} failed: {reason}", flush=True)
    finally:
        heartbeat.cancel()


async def main() -> None:
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asyncio.current_task().cancel)
    url = os.environ["DATABASE_URL"]
    wake = asyncio.Event()
    listener = await asyncpg.connect(url)
    await listener.add_listener("documents_pending", lambda *_: wake.set())
    async with asyncpg.create_pool(url, min_size=1, max_size=2) as pool:
        print("waiting for documents", flush=True)
        while True:
            # Cleared before the claim, so that a notification in between is not lost.
            wake.clear()
            await pool.fetchval("select release_expired_documents($1)", MAX_ATTEMPTS)
            jobs = await pool.fetch("select * from claim_documents($1, 1, $2, $3)", WORKER, LEASE, FORMATS)
            for job in jobs:
                await process(pool, job)
            if not jobs:
                try:
                    await asyncio.wait_for(wake.wait(), POLL_SECONDS)
                except asyncio.TimeoutError:
                    pass


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("stopped", flush=True)
