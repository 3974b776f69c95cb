import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { moment, sbatchArguments, slurmDeadline, submittedId } from "./sbatch-arguments.ts";
import { limitOf, optionValue, scriptOptions, splitSbatch } from "./sbatch-words.ts";

describe("the words after sbatch", () => {
  test.each([
    ["train.sh", [], []],
    ["-N2 train.sh --lr 3", ["-N2"], ["--lr", "3"]],
    ["-N 2 -p gpu train.sh", ["-N", "2", "-p", "gpu"], []],
    ["--nodes=2 --partition gpu train.sh", ["--nodes=2", "--partition", "gpu"], []],
    ["--exclusive -sO --no-requeue train.sh", ["--exclusive", "-sO", "--no-requeue"], []],
    ["-sN 2 train.sh", ["-sN", "2"], []],
    ["--time=5 -- train.sh --", ["--time=5"], ["--"]],
  ])("%s", (text, options, args) => {
    expect(splitSbatch(text.split(" "))).toEqual({ options, file: "train.sh", args });
  });
  test.each([
    ["--begin=now+1h train.sh", "the plan"],
    ["-b now train.sh", "the plan"],
    ["-H train.sh", "the plan"],
    ["--deadline now+1 train.sh", "--deadline"],
    ["--wrap hostname", "command itself"],
    ["-W train.sh", "follow"],
    ["-M other train.sh", "one cluster"],
    ["--parsable train.sh", "reads"],
    ["-N 2", "no batch script"],
    ["-", "no batch script"],
    ["", "no batch script"],
  ])("%s is refused", (text, why) => {
    expect(() => splitSbatch(text === "" ? [] : text.split(" "))).toThrow(
      expect.objectContaining({ code: "usage", message: expect.stringContaining(why) }),
    );
  });
  test("options of a script end at its first command", () => {
    const text =
      "#!/bin/sh\n# a word\n#SBATCH -t 5 --mem=1G\n\n#SBATCH --time=6\nset -e\n#SBATCH -t 9\n";
    expect(scriptOptions(text)).toEqual(["-t", "5", "--mem=1G", "--time=6"]);
    expect(optionValue(scriptOptions(text), "time", "t")).toBe("6");
    expect(optionValue(["-t7"], "time", "t")).toBe("7");
    expect(optionValue(["--test-only"], "time", "t")).toBeNull();
  });
});

// sbatch(1), --time.
test.each([
  ["90", 5400],
  ["1:30", 120],
  ["1:00:00", 3600],
  ["1-0", 86_400],
  ["2-03:04", 183_840],
  ["1-00:00:30", 86_460],
  ["0", null],
  ["UNLIMITED", null],
  ["soon", null],
])("a limit of %s is %s s", (text, seconds) => {
  expect(limitOf(text)).toBe(seconds);
});

describe("the arguments of sbatch", () => {
  const submission = {
    ...{ options: ["--time=1", "--begin=now"], script: "/a b/$(x).sh", args: ["--hold", ""] },
    ...{ cwd: "/home/ada", begin: 1795758000.7, deadline: null, environment: "submitter" as const },
  };
  test("hold the job, begin it at a moment of no time zone, and end before the script's name", () => {
    expect(sbatchArguments(submission)).toEqual([
      ...["--time=1", "--begin=now", "--parsable", "--hold", "--begin=uts1795758000"],
      ...["--chdir=/home/ada", "--", "/a b/$(x).sh", "--hold", ""],
    ]);
  });
  test("take words as they are, whatever is in them", () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.string({ minLength: 1 }), (args, script) => {
        const all = sbatchArguments({ ...submission, script, args });
        expect(all.slice(all.indexOf("--") + 1)).toEqual([script, ...args]);
      }),
    );
  });
  test("Slurm is told of a deadline only if its own rule cannot end the job early", () => {
    const at = { begin: 1000, deadline: 5000 };
    expect(slurmDeadline({ ...at, limitS: 3600 })).toBe(5000);
    expect(slurmDeadline({ ...at, limitS: 4000 })).toBeNull();
    expect(slurmDeadline({ ...at, limitS: null })).toBeNull();
  });
  test.each([
    ["12\n", 12],
    ["12;green\n", 12],
    ["", null],
    ["Submitted batch job 12", null],
    ["0\n", null],
    ["12\n13\n", null],
  ])("%j is job %s", (stdout, id) => {
    expect(submittedId(stdout)).toBe(id);
  });
  test("a moment is never one that Slurm reads as none", () => {
    expect(moment(-5)).toBe("uts1");
  });
});
