/** Where the daemon looks, unless it is told otherwise. */
export const DEFAULTS = {
  plugins: "/etc/bulkhead/plugins",
  policy: "/etc/bulkhead/bulkhead.config.json",
  dataDir: "/var/lib/bulkhead",
} as const;

/** The config file that is read where none is named, if it exists. */
export const SERVE_CONFIG = "/etc/bulkhead/serve.json";

/** An engine's own socket. */
export const DOCKER_ENGINE = "/run/docker.sock";
