/** Examples for GraphiQL: each runs as it is, once the first tab has signed in. */
import type { ExampleTab } from "../slice.ts";

export const documentTabs: readonly ExampleTab[] = [
  {
    query: `# Three levels, one round trip to the database. The header "Lectern-Trace: 1" shows the statements.
query Library {
  documents(first: 5, orderBy: { field: TITLE, direction: ASC }) {
    totalCount
    nodes {
      title
      status
      owner { name }
      chunks(first: 2) {
        totalCount
        nodes { index text }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}
`,
    headers: `{ "Lectern-Trace": "1" }`,
  },
  {
    query: `# Every change of a document that you may see, as it happens. Run this, then make a document in the next tab.
subscription WatchDocuments {
  documentChanged {
    document { title status progress version owner { name } }
    deletedId
    cursor
  }
}
`,
  },
  {
    query: `# A new text. A worker cuts it into chunks within a moment: watch it in the tab before this one.
mutation CreateDocument {
  createDocument(input: {
    source: { text: "# The lectern\\n\\nA lectern is a stand for reading aloud. It holds one book, and everybody hears it." }
    visibility: SHARED
  }) {
    isDuplicate
    document { id title status version }
  }
}
`,
  },
  {
    query: `# Best match first, accents folded.
query Search {
  searchChunks(query: "one transaction", first: 5) {
    totalCount
    nodes {
      score
      snippet
      chunk { index document { title } neighbours { index } }
    }
  }
}
`,
  },
];
