// A value of a network under construction, with the shape that the next layer's weights depend on.

/** A float32 value. Layers take it and give a new one. */
export interface Features {
  /** Name of the value in the graph. */
  readonly value: string;
  /** Shape of one sample, without the batch axis: [channels, ...spatial], or [units]. */
  readonly shape: readonly number[];
}

/** Channels of a feature map, units of a vector. */
export const channelsOf = ({ shape }: Features): number => shape[0] ?? 1;

/** Lengths of the axes behind the channels. */
export const spatialOf = ({ shape }: Features): readonly number[] => shape.slice(1);
