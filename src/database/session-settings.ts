/**
 * Connection parameters with the given settings appended to the URL's `options`, so that both apply and the settings
 * take precedence. pg alone would ignore them if the URL has `options`.
 */
export function sessionSettings(
  url: string,
  settings: Record<string, string | number>,
): { connectionString: string; options: string } {
  const [address, query = ""] = url.split("?", 2) as [string, string?];
  const parameters = new URLSearchParams(query);
  const added = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`);
  const options = [parameters.get("options"), ...added].filter(Boolean).join(" ");
  parameters.delete("options");
  return { connectionString: parameters.size === 0 ? address : `${address}?${parameters}`, options };
}
