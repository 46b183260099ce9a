import { describe, expect, it } from "vitest";
import { isS3Url, parseS3Address } from "../../src/storage/s3-address.ts";

describe("an address of a store in S3", () => {
  it("names a bucket, and may name a prefix, a region and a service", () => {
    const region = "us-east-1";
    expect(parseS3Address("s3://library")).toEqual({ bucket: "library", prefix: "", region, isPathStyle: false });
    expect(parseS3Address("s3://my.library-2/a//b%20c/?region=eu-central-1")).toEqual({
      bucket: "my.library-2",
      prefix: "a/b c/",
      region: "eu-central-1",
      isPathStyle: false,
    });
    expect(parseS3Address("s3://library/files?endpoint=http://127.0.0.1:9000&pathStyle=true")).toEqual({
      bucket: "library",
      prefix: "files/",
      region,
      endpoint: "http://127.0.0.1:9000",
      isPathStyle: true,
    });
  });

  it.each([
    ["https://library", "must be s3://bucket or s3://bucket/prefix"],
    ["s3:", "must begin with s3:// and the name of a bucket"],
    ["s3://", "must begin with s3:// and the name of a bucket"],
    ["s3://Library", "must begin with s3:// and the name of a bucket"],
    ["s3://ab", "must begin with s3:// and the name of a bucket"],
    ["s3://library:9000", "must begin with s3:// and the name of a bucket"],
    ["s3://id:secret@library", "must hold no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"],
    ["s3://library?endpont=http://a", "has the unknown parameter endpont: it may have region, endpoint, pathStyle"],
    ["s3://library?pathStyle=yes", "has an invalid pathStyle"],
    ["s3://library?region=eu%0d", "has an invalid region"],
    ["s3://library?endpoint=127.0.0.1:9000", "has an invalid endpoint"],
    ["s3://library?endpoint=ftp://a", "has an invalid endpoint"],
    ["s3://library?endpoint=http://id:secret@a", "has an invalid endpoint"],
  ])("%s is refused, with the reason", (url, reason) => {
    let message = "";
    try {
      parseS3Address(url);
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message.startsWith(reason), message).toBe(true);
    expect(message).not.toContain("secret@");
  });

  it("is told from a path", () => {
    expect(["s3://library", "/s3:", "file:///s3", "s3"].map(isS3Url)).toEqual([true, false, false, false]);
  });
});
