/** This package's version, as on every card. A test holds it to package.json. */
export const VERSION = "0.1.0";
