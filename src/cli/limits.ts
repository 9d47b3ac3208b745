/** What commands print. */
export const OUTPUT = {
  /** Rows a command prints before it says how many more there are. */
  shownRows: 200,
} as const;
