// A process that adds to the attempts of one job: `node job-writer.ts FOLDER JOB COUNT`.

import { openJobStore } from "../src/systems/schedule/jobs/index.ts";

const [folder = "", id = "", count = ""] = process.argv.slice(2);
const store = await openJobStore(folder);
for (let i = 0; i < Number(count); i++) {
  await store.change(id, i, (record) => ({
    record: { ...record, attempts: record.attempts + 1 },
    kind: "counted",
    text: `${process.pid}`,
  }));
}
store.close();
