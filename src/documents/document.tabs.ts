/** Examples for GraphiQL, to be run after the sign-in of the first tab. */
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
    query: `# Live changes of all documents that you may see. Run this, then create a document in the next tab.
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
    query: `# A new text, which a worker splits into chunks. The previous tab shows the progress.
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
