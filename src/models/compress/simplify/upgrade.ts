// Brings a model to the newest opset that we write, so that every other pass finds the operators in one
// form.

import { inferShapes, typeOfValue, UPGRADE_RANGE, upgradeModel } from "../../../onnx/index.ts";
import type { Pass } from "../pass.ts";

export interface UpgradeOpsetOptions {
  /** Default: 21. */
  readonly target?: number | undefined;
}

export const upgradeOpset: Pass<UpgradeOpsetOptions | undefined> = {
  name: "upgrade-opset",
  // Newer versions of an operator may run by other kernels.
  fidelity: "reordered",
  async apply(model, { operators }, options) {
    const target = options?.target ?? UPGRADE_RANGE.to;
    const { graph: shapes } = inferShapes(model);
    const rankOf = (value: string): number | null => {
      const type = typeOfValue(shapes, value);
      return type?.kind === "tensor" ? (type.shape?.length ?? null) : null;
    };
    const upgrade = upgradeModel(model, { operators, target, rankOf });
    if (upgrade.status === "refused") {
      const refused = upgrade.refusals.map(({ path, reason }) => ({
        pass: "upgrade-opset",
        subject: path,
        reason,
      }));
      return { model, changes: [], refused };
    }
    const changes = upgrade.changes.map(({ path, version, became }) => ({
      pass: "upgrade-opset",
      subject: path,
      what: `in the form of opset ${version}: ${became.join(", ")}`,
    }));
    return { model: upgrade.model, changes, refused: [] };
  },
};
