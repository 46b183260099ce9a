import { changeSubscription } from "../graphql/change-subscription.ts";
import { audioById } from "./audio.relations.ts";

changeSubscription("Audio", {
  topic: "audio",
  relation: audioById,
  isVisible: () => true,
  description: "Changes of audio: uploaded, changed, of another status or progress, deleted.",
});
