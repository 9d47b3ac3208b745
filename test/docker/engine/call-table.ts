export type Step = string;
export const CALLS: Record<string, Record<string, string>> = {};
