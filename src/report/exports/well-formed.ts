/** Text as UTF-8 can hold it: a lone surrogate becomes U+FFFD, everything else stays. */
export const wellFormed = (value: string): string => value.replace(/\p{Cs}/gu, "\ufffd");
