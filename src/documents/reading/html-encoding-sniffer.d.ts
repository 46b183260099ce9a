declare module "html-encoding-sniffer" {
  /** The declared encoding of a page, by the WHATWG's rules; `defaultEncoding` if there is none. */
  export default function sniffHtmlEncoding(bytes: Uint8Array, options: { defaultEncoding: string }): string;
}
