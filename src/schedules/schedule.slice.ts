/** Schedules: playlists on channels, at their times, once or every week. */
import { sql } from "../eager-loading/sql.ts";
import type { Slice } from "../slice.ts";
import { scheduleChecks } from "./schedule.checks.ts";
import { channelDownload } from "./schedule.downloads.ts";
import { type ScheduleRepository, scheduleRepository } from "./schedule.repository.ts";
import { addSchedules } from "./schedule.samples.ts";
import { ScheduleService } from "./schedule.service.ts";
import { scheduleTabs } from "./schedule.tabs.ts";

declare module "../unit-of-work/unit-of-work.ts" {
  interface Repositories {
    schedules: ScheduleRepository;
  }
}
declare module "../graphql/context.ts" {
  interface Services {
    schedules: ScheduleService;
  }
}

export const scheduleSlice: Slice = {
  types: () =>
    Promise.all([
      import("./schedule.schema.ts"),
      import("./schedule.mutations.ts"),
      import("./moved-schedules.ts"),
      import("./schedule.subscriptions.ts"),
    ]),
  repositories: (uow) => ({ schedules: scheduleRepository(uow) }),
  open: () => ({
    services: ({ schedules }, viewer) => ({ schedules: new ScheduleService({ schedules, viewer }) }),
  }),
  downloads: [channelDownload],
  checks: scheduleChecks,
  sweeps: [
    {
      // Several servers may run it at once: each series is extended by one of them.
      name: "extended series of schedules",
      everyMs: 600_000,
      sweep: (run) =>
        run({ name: "extend series of schedules" }, async (uow) => {
          const [row] = await uow.write(sql`select extend_schedule_series() as count`);
          return Number(row?.count);
        }),
    },
  ],
  seedProcessed: addSchedules,
  tabs: scheduleTabs,
};
