// Choosing data: a coreset, pruning by EL2N and by forgetting, a curriculum, active learning; each against all
// rows in any order. Rows are chosen by what godwit train --select and --curriculum run.

import { createRandom } from "../../src/core/index.ts";
import { subset } from "../../src/models/data/index.ts";
import { predict } from "../../src/models/train/index.ts";
import {
  type Choice,
  chooseRows,
  learnActively,
  margin,
  uncertainties,
} from "../../src/models/train/select/index.ts";
import type { Model } from "../../src/onnx/index.ts";
import { type Cost, ENGINE, fitOptions, net, rowsFor, timed, trainTo } from "./setting.ts";

const ROWS = 3000;
export const TARGET = 0.83;
const NET = "lenet-5";

/** Training on what is chosen, the choice included, for as many steps at most as 12 epochs of all rows are. */
const choosing =
  (choice: Choice) =>
  async (seed: number): Promise<Cost> => {
    const rows = rowsFor(seed, ROWS);
    const model = net(NET, seed);
    const { result, cpuS } = await timed(() => chooseRows(model, fitOptions(rows, seed), choice));
    const { train, order } = result;
    const epochs = Math.ceil((12 * ROWS) / train.length);
    const paced = order === undefined ? {} : { order };
    const options = { ...rows, train, ...paced, target: TARGET, seed, epochs, spentS: cpuS };
    return (await trainTo(model, options)).cost;
  };

export const plain = choosing({});
/** As many rows as the coreset has, drawn evenly: what a choice must beat. */
export const fewerAtRandom = choosing({ select: { kind: "random", fraction: 0.5 } });
export const coreset = choosing({ select: { kind: "coreset", fraction: 0.5 } });
export const pruned = choosing({ select: { kind: "el2n", fraction: 0.7, epochs: 2 } });
export const unforgotten = choosing({ select: { kind: "forgetting", fraction: 0.7, epochs: 4 } });
export const easyFirst = choosing({ curriculum: { duration: 4, start: 0.3, epochs: 1 } });

/** Labels bought by margin, or at random; each round goes on from the model before. */
const buying =
  (byMargin: boolean) =>
  async (seed: number): Promise<Cost> => {
    const { train, validation } = rowsFor(seed, ROWS);
    const start = process.cpuUsage();
    const random = createRandom(seed);
    let last: Awaited<ReturnType<typeof trainTo>> | null = null;
    const { labelled } = await learnActively<Model>({
      ...{ pool: ROWS, first: 600, perRound: 300, rounds: 8, seed },
      train: async (rows) => {
        const begun = last?.model ?? net(NET, seed);
        const few = { train: subset(train, rows), validation, target: TARGET, seed, epochs: 3 };
        last = await trainTo(begun, few);
        return last.model;
      },
      worth: async (model, rows) =>
        byMargin
          ? uncertainties(await predict(model, subset(train, rows), ENGINE), margin)
          : rows.map(() => random.uniform()),
      judge: async () => last?.cost.cpuS != null,
    });
    const { user, system } = process.cpuUsage(start);
    const allS = (user + system) / 1e6;
    const found = last as Awaited<ReturnType<typeof trainTo>> | null;
    const reached = found?.cost.cpuS != null;
    return {
      cpuS: reached ? allS : null,
      ...{ allS, test: found?.cost.test ?? Number.NaN, labels: labelled.length },
      epochs: found?.cost.epochs ?? 0,
    };
  };

export const activeLearning = buying(true);
export const passiveLearning = buying(false);
