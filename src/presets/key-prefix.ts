/**
 * Where kube-apiserver keeps its keys: `--etcd-prefix`. It cleans that path (`path.Join("/", prefix)`, k8s.io/apiserver
 * `storage/etcd3/store.go`), so that what is not clean already would be granted in one place and used in another: `/a/../` is `/`.
 */

/** What a key prefix looks like, for messages. */
export const KEY_PREFIX_WANTED = 'a path such as "/registry/": letters, digits and "._@+-" between single slashes, without "." or "..", since kube-apiserver cleans it'

/** Whether a text is an absolute path that every program reads alike: without `.`, `..`, empty segments, a slash at its end or a character to be quoted. */
export function isPlainPath(path: string): boolean {
  const [first, ...segments] = path.split('/')
  return first === '' && segments.length > 0 && segments.every((segment) => /^[A-Za-z0-9._@+-]+$/.test(segment) && segment !== '.' && segment !== '..')
}

/** Whether a text is a key prefix as kube-apiserver itself would write it, with the slash at its end. */
export function isKeyPrefix(keyPrefix: string): boolean {
  if (typeof keyPrefix !== 'string') throw new TypeError('keyPrefix must be a string')
  return keyPrefix.endsWith('/') && isPlainPath(keyPrefix.slice(0, -1))
}
