// Works out the formulas that cards print: names, numbers, + - * / with their usual precedence. A
// name may hold a dash; operators stand between spaces.

/** Value of a formula. Throws when a name has no value. */
export function evaluate(formula: string, values: Readonly<Record<string, number>>): number {
  const numberOf = (word: string): number => {
    const value = values[word] ?? (/^\d/.test(word) ? Number(word) : Number.NaN);
    if (Number.isNaN(value)) throw new Error(`no value for ${word} in ${formula}`);
    return value;
  };
  const terms = formula.split(/ (?=[+-] )/).map((term) => {
    const words = term.replace(/^[+-] /, "").split(/ (?=[*/] )/);
    const product = words.reduce((result, word) => {
      const factor = numberOf(word.replace(/^[*/] /, ""));
      return word.startsWith("/ ") ? result / factor : result * factor;
    }, 1);
    return term.startsWith("- ") ? -product : product;
  });
  return terms.reduce((sum, term) => sum + term, 0);
}
