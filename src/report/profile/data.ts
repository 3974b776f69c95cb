// A profile for programs: one JSON object, or one CSV row a node, module or operator. What hangs on open
// sizes stays an expression; what hangs on a branch has two bounds.

import { csvField } from "../../core/csv.ts";
import {
  type Amount,
  formatAmount,
  isExact,
  type ModelCount,
  type Row,
  type TrainingCost,
} from "../../measure/profile/index.ts";
import type { BackwardCount } from "../../models/train/count-backward.ts";
import { formatSize, type Size } from "../../onnx/index.ts";

/** A number, an expression, bounds, or null where it is not known. */
type Plain = number | string | { readonly least: Plain; readonly most: Plain } | null;

const plainSize = (size: Size | null): Plain =>
  size === null || typeof size === "number" ? size : formatSize(size);

const plain = (amount: Amount | null): Plain => {
  if (amount === null) return null;
  if (isExact(amount)) return plainSize(amount.least);
  return { least: plainSize(amount.least), most: plainSize(amount.most) };
};

/** What the command adds to a count. */
export interface ProfileExtras {
  readonly file: string;
  readonly training?: TrainingCost | null;
  readonly backward?: BackwardCount | null;
  /** Further parts of the object, by name. */
  readonly parts?: Readonly<Record<string, unknown>>;
}

/** The object of `--json`. */
export function profileObject(
  model: ModelCount,
  rows: readonly Row[],
  { file, training, backward, parts }: ProfileExtras,
): object {
  const { totals, cache, activations } = model;
  return {
    schema: "godwit.profile/1",
    file,
    convention: model.convention,
    inputs: model.inputs,
    openSizes: model.symbols,
    parameters: model.parameters,
    weights_bytes: model.bytes,
    weights_bytes_by_type: model.bytesByType,
    macs: plain(totals.macs),
    flops: plain(totals.flops),
    read_bytes: plain(totals.reads),
    written_bytes: plain(totals.writes),
    activations: {
      peak_bytes: activations.withReuse,
      peak_node: activations.peakNode,
      without_reuse_bytes: plainSize(activations.withoutReuse),
    },
    kv_cache:
      cache === null
        ? null
        : {
            bytes: plainSize(cache.bytes),
            bytes_per_token: plainSize(cache.bytesPerToken),
            tensors: cache.tensors,
          },
    ...(training == null
      ? {}
      : {
          training: {
            optimizer: training.optimizer,
            backward_flops: plain(training.backward),
            update_flops: training.update,
            step_flops: plain(training.total),
            backward: backward == null ? null : backwardObject(backward),
          },
        }),
    uncounted: model.uncounted,
    faults: model.faults,
    ...parts,
    rows: rows.map((row) => ({ ...rowObject(row) })),
  };
}

/** The backward pass as written out, or why it is not. */
const backwardObject = (backward: BackwardCount): object =>
  backward.status === "refused"
    ? backward
    : {
        status: backward.status,
        nodes: backward.totals.nodes,
        macs: plain(backward.totals.macs),
        flops: plain(backward.totals.flops),
        uncounted_nodes: backward.totals.uncounted,
      };

function rowObject({
  name,
  operator,
  output,
  totals,
  share,
}: Row): Readonly<Record<string, Plain>> {
  return {
    name,
    ...(operator === null ? {} : { operator, output }),
    nodes: totals.nodes,
    parameters: totals.parameters,
    weights_bytes: totals.weightBytes,
    macs: plain(totals.macs),
    flops: plain(totals.flops),
    flops_share: share,
    read_bytes: plain(totals.reads),
    written_bytes: plain(totals.writes),
    uncounted_nodes: totals.uncounted,
  };
}

/** The rows as CSV by RFC 4180. */
export function profileCsv(rows: readonly Row[]): string {
  const header =
    "name,operator,output,nodes,parameters,weights_bytes,macs,flops,flops_share,read_bytes,written_bytes,uncounted_nodes";
  const text = (amount: Amount | null): string => (amount === null ? "" : formatAmount(amount));
  const lines = rows.map(({ name, operator, output, totals, share }) =>
    [
      inert(name),
      operator ?? "",
      output ?? "",
      totals.nodes,
      totals.parameters,
      totals.weightBytes,
      text(totals.macs),
      text(totals.flops),
      share ?? "",
      text(totals.reads),
      text(totals.writes),
      totals.uncounted,
    ]
      .map((field) => csvField(String(field)))
      .join(","),
  );
  return `${[header, ...lines].join("\r\n")}\r\n`;
}

/** Names come from strangers: a spreadsheet must not run them. */
const inert = (name: string): string => (/^[=+\-@\t\r]/.test(name) ? `'${name}` : name);
