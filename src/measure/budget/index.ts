// Budgets: what runs may cost. The public face.

export {
  BUDGET_SCHEMA,
  type Budget,
  type BudgetFile,
  budgetJsonSchema,
  METRICS,
  type Metric,
  parseBudget,
} from "./budget-file.ts";
export { firstBudget } from "./first-budget.ts";
export {
  type BudgetResult,
  type BudgetVerdict,
  type Evidence,
  type Interval,
  judgeBudget,
} from "./judge.ts";
