/** Examples for GraphiQL, to be run after the sign-in of the first tab. */
import type { ExampleTab } from "../slice.ts";

export const playlistTabs: readonly ExampleTab[] = [
  {
    query: `# Playlists with their tracks in order, and the audio of each.
query Playlists {
  playlists(first: 5) {
    totalCount
    nodes {
      name
      version
      trackCount
      durationMs
      owner { name }
      tracks(first: 3) {
        nodes { id position durationMs audio { id title url } }
      }
    }
  }
}
`,
  },
  {
    query: `# An editor builds a playlist: fill in \`audioIds\` from the previous tab. Then try \`addTracks\` and \`moveTrack\`, which
# name a position by a neighbour: \`beforeTrackId\` or \`afterTrackId\`.
mutation BuildPlaylist {
  createPlaylist(input: { name: "Evening", audioIds: [] }) {
    playlist { id name version trackCount durationMs }
  }
}
`,
  },
];
