/** The formats of documents. */
export const formats = {
  plain: "text/plain",
  markdown: "text/markdown",
  html: "text/html",
  pdf: "application/pdf",
  docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
} as const;
export type Format = (typeof formats)[keyof typeof formats];

/** Formats whose text a worker extracts from the original; the others are text already. */
export const extractedFormats: readonly string[] = [formats.html, formats.pdf, formats.docx];
