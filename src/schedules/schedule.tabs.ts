/** Examples for GraphiQL, to be run after the sign-in of the first tab. */
import type { ExampleTab } from "../slice.ts";

export const scheduleTabs: readonly ExampleTab[] = [
  {
    query: `# A channel: the track that plays at this instant, and its schedule. \`from\` and \`to\` limit it to a week.
query Channel {
  channelUrl(channel: "main")
  nowPlaying(channel: "main") {
    track { position audio { title url } }
    offsetMs
    trackEndsAt
    schedule { playlist { name } endsAt }
  }
  schedules(channel: "main", first: 10) {
    totalCount
    nodes {
      startsAt
      endsAt
      playlist { name trackCount durationMs }
      series { timeZone startTime weekdays }
    }
  }
}
`,
  },
  {
    query: `# Live changes of a channel. Add a track to one of its playlists meanwhile: the ends of its schedules move.
subscription WatchChannel {
  scheduleChanged(channel: "main") {
    schedule { id playlist { name } startsAt endsAt isMoved }
    deletedId
    cursor
  }
}
`,
  },
];
