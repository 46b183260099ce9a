/**
 * Addresses of file stores in S3 or a compatible service:
 *
 *   s3://bucket/optional/prefix?region=eu-central-1
 *   s3://bucket?endpoint=http://127.0.0.1:9000&pathStyle=true
 */

export type S3Address = {
  bucket: string;
  /** Begins the names of all objects; empty, or ends with a slash. */
  prefix: string;
  region: string;
  /** The address of a compatible service; undefined: Amazon's, by the region. */
  endpoint?: string;
  /** True if the bucket is a part of the path, as most compatible services want it, not of the host name. */
  isPathStyle: boolean;
};

const bucketForm = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const regionForm = /^[a-z0-9-]{1,40}$/;
const known = ["region", "endpoint", "pathStyle"];

export const isS3Url = (url: string) => url.startsWith("s3:");

/** @throws Error that says what is wrong with the address, without repeating it */
export function parseS3Address(text: string): S3Address {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "s3:") throw new Error("must be s3://bucket or s3://bucket/prefix");
  const { hostname: bucket, pathname, searchParams } = url;
  if (url.username || url.password) {
    throw new Error("must hold no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
  }
  if (!bucketForm.test(bucket) || url.port) {
    throw new Error(
      "must begin with s3:// and the name of a bucket: 3 to 63 lower-case letters, digits, dots, hyphens",
    );
  }
  for (const name of searchParams.keys()) {
    if (!known.includes(name)) throw new Error(`has the unknown parameter ${name}: it may have ${known.join(", ")}`);
  }
  const region = searchParams.get("region") ?? "us-east-1";
  if (!regionForm.test(region)) throw new Error("has an invalid region: it is a name such as eu-central-1");
  const pathStyle = searchParams.get("pathStyle") ?? "false";
  if (!["true", "false"].includes(pathStyle)) throw new Error("has an invalid pathStyle: it is true or false");
  const endpoint = searchParams.get("endpoint");
  if (endpoint !== null && !isEndpoint(endpoint)) {
    throw new Error("has an invalid endpoint: it is an address such as https://s3.example, without credentials");
  }
  const path = pathname.split("/").filter(Boolean).map(decodeURIComponent).join("/");
  return {
    bucket,
    prefix: path === "" ? "" : `${path}/`,
    region,
    ...(endpoint === null ? {} : { endpoint }),
    isPathStyle: pathStyle === "true",
  };
}

function isEndpoint(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return /^https?:$/.test(protocol) && username === "" && password === "";
}
