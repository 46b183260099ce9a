declare module "html-encoding-sniffer" {
  /** The encoding that a page's first bytes say, by the WHATWG's rules; `defaultEncoding` where they say none. */
  export default function sniffHtmlEncoding(bytes: Uint8Array, options: { defaultEncoding: string }): string;
}
