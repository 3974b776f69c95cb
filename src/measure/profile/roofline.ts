// The roofline: work takes as long as its arithmetic at peak or its traffic at full bandwidth, whichever
// is longer (Williams, Waterman and Patterson, "Roofline", CACM 52(4), 2009).

/** What a machine can do at most. */
export interface Roofline {
  /** FLOP/s. */
  readonly peakFlops: number;
  /** Bytes a second to and from memory. */
  readonly bandwidth: number;
}

/** Which of the two keeps work from being faster. */
export type Binding = "compute" | "memory";

export interface RooflineTime {
  /** Shortest time, seconds. */
  readonly seconds: number;
  readonly binding: Binding;
}

/** The shortest time that work can take. */
export function rooflineTime(
  work: { flops: number; bytes: number },
  roofline: Roofline,
): RooflineTime {
  const compute = work.flops / roofline.peakFlops;
  const memory = work.bytes / roofline.bandwidth;
  return compute >= memory
    ? { seconds: compute, binding: "compute" }
    : { seconds: memory, binding: "memory" };
}
