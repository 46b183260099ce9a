/** Examples for GraphiQL, to be run after the sign-in of the first tab. */
import type { ExampleTab } from "../slice.ts";

export const audioTabs: readonly ExampleTab[] = [
  {
    query: `# Audio with its waveform. Open a \`url\` in a new tab to play it, or a \`waveformUrl\` to look at it.
query Audio {
  audios(first: 5, orderBy: { field: TITLE, direction: ASC }) {
    totalCount
    nodes {
      title
      artist
      status
      durationMs
      category { name }
      url
      waveformUrl
      peaks(count: 20)
    }
  }
  viewer { storage { usedBytes limitBytes } }
}
`,
  },
  {
    query: `# Live changes of audio: its processing after an upload. docs/uploads.md tells how a file is sent.
subscription WatchAudio {
  audioChanged {
    audio { title status progress durationMs failure }
    deletedId
    cursor
  }
}
`,
  },
];
