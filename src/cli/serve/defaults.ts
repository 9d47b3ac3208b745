/** Where the daemon looks, unless it is told otherwise. */
export const DEFAULTS = {
  plugins: "/etc/bulkhead/plugins",
  policy: "/etc/bulkhead/bulkhead.config.json",
  dataDir: "/var/lib/bulkhead",
} as const;
