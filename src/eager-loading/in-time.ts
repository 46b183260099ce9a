/** Returns the result of the work, or undefined if it fails or times out. */
export async function inTime<Result>(timeoutMs: number, work: Promise<Result>): Promise<Result | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<undefined>((expired) => {
    timer = setTimeout(() => expired(undefined), timeoutMs);
  });
  try {
    return await Promise.race([work, timeout]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
