// Apart from `card.ts`, so that making a card does not load the schema library that checks one.

/** Name and version of the card's schema, as every card carries it. */
export const CARD_SCHEMA = "godwit.card/1";
