/** Which user etcd v2 takes a Common Name for. */

/**
 * A Common Name as etcd v2 looks it up: as a path below `/2/users`, cleaned (server/etcdserver/api/v2auth/auth_requests.go,
 * `path.Join`). `x/../root` is `root`, and so are `/root` and `../users/root`. `undefined` where the path leaves the users.
 */
export function resolvedName(commonName: string): string | undefined {
  const segments: string[] = []
  for (const segment of `2/users/${commonName}`.split('/')) {
    if (segment === '..') segments.pop()
    else if (segment !== '' && segment !== '.') segments.push(segment)
  }
  const [version, table, ...name] = segments
  return version === '2' && table === 'users' && name.length > 0 ? name.join('/') : undefined
}
