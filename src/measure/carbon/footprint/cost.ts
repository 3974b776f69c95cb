// What electricity and carbon cost at a price. Money knows its currency, and currencies are never added.

import { type Figure, product, sum, UserError } from "../../../core/index.ts";

/** An amount of one currency (ISO 4217 code). */
export type Money = {
  readonly currency: string;
  readonly amount: Figure<"money">;
};

/** A price per kWh or per tonne of CO2e. */
export interface Price<U extends "money/kWh" | "money/tCO2e"> {
  readonly currency: string;
  readonly rate: Figure<U>;
}

/** Cost of facility energy, PUE included: that is what is billed. */
export const electricityCost = (facility: Figure<"J">, price: Price<"money/kWh">): Money => ({
  currency: currencyOf(price),
  amount: product("money", [facility, price.rate], {
    source: `facility energy x ${price.rate.source}`,
    scale: 1 / 3.6e6,
  }),
});

/** Cost of emissions at a carbon price: of a market, a tax, or of the damage done. */
export const carbonCost = (emissions: Figure<"gCO2e">, price: Price<"money/tCO2e">): Money => ({
  currency: currencyOf(price),
  amount: product("money", [emissions, price.rate], {
    source: `emissions x ${price.rate.source}`,
    scale: 1e-6,
  }),
});

/** Sum of amounts of one currency. Throws UserError for none, and for several currencies. */
export function sumMoney(amounts: readonly Money[]): Money {
  const currencies = [...new Set(amounts.map(({ currency }) => currency))];
  const [currency] = currencies;
  if (currency === undefined || currencies.length > 1) {
    throw new UserError("invalid-input", `cannot add ${currencies.join(" and ") || "no amounts"}`, {
      hint: "Give all prices in one currency.",
    });
  }
  const source = `sum of ${amounts.length} costs`;
  return {
    currency,
    amount: sum(
      "money",
      amounts.map((one) => one.amount),
      { source },
    ),
  };
}

function currencyOf({ currency }: { readonly currency: string }): string {
  if (/^[A-Z]{3}$/.test(currency)) return currency;
  throw new UserError("invalid-input", `"${currency}" is no currency`, {
    hint: "Give an ISO 4217 code, such as EUR.",
  });
}
