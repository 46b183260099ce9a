import { changeSubscription } from "../graphql/change-subscription.ts";
import { requireChannel } from "./channel.ts";
import { scheduleById } from "./schedule.relations.ts";

changeSubscription<{ channel: string }>("Schedule", {
  topic: "schedule",
  relation: scheduleById,
  isVisible: () => true,
  filters: {
    channel: {
      description: "Only changes on this channel. A schedule that leaves it is reported there as `deletedId`.",
      toValue: (channel) => requireChannel(channel, ["channel"]),
    },
  },
  description: "Changes of schedules: created, moved, of another duration, deleted.",
});
