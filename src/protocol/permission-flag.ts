/** Returns the flag that enables Node's permission model; its name depends on the version. */
export function permissionFlag(): string {
  const [major = 20] = process.versions.node.split(".").map(Number);
  return major >= 24 ? "--permission" : "--experimental-permission";
}
