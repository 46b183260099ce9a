/**
 * How a connection is opened with settings of ours. What the URL itself says in its `options` stays, and ours come last
 * and win: pg alone would let the URL's hide all of ours.
 */
export function sessionSettings(
  url: string,
  settings: Record<string, string | number>,
): { connectionString: string; options: string } {
  const [address, query = ""] = url.split("?", 2) as [string, string?];
  const parameters = new URLSearchParams(query);
  const ours = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`);
  const options = [parameters.get("options"), ...ours].filter(Boolean).join(" ");
  parameters.delete("options");
  return { connectionString: parameters.size === 0 ? address : `${address}?${parameters}`, options };
}
