/** etcd versions, as far as auth must tell them apart. */

function numbers(version: string): readonly [number, number, number] {
  const [, major = '0', minor = '0', patch = '0'] = /^v?(\d+)\.(\d+)(?:\.(\d+))?/.exec(version) ?? []
  return [Number(major), Number(minor), Number(patch)]
}

/** Whether a version is known and not older than `major.minor`. */
export function isAtLeast(version: string | undefined, major: number, minor: number): boolean {
  if (version === undefined) return false
  const [foundMajor, foundMinor] = numbers(version)
  return foundMajor > major || (foundMajor === major && foundMinor >= minor)
}

/** The lowest of several versions. */
export function lowestVersion(versions: readonly string[]): string | undefined {
  const weight = (version: string): number => numbers(version).reduce((sum, part) => sum * 10_000 + part, 0)
  return [...versions].sort((a, b) => weight(a) - weight(b))[0]
}
