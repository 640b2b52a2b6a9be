/** Keys: what a permission opens and what a request names, on v3 and on v2. */
export { key, prefix, range, fromKey, allKeys, type Key, type Prefix, type Range, type FromKey, type AllKeys, type KeyRange, type KeyText, type Terminated } from './key-range.js'
export { pattern, path, type Path, type PathPattern } from './pattern.js'
export { read, write, readwrite, type Permission, type PermissionType } from './permission.js'
export { showKeys, showPermission } from './show.js'
export { complementOf, covers, differenceOf, intersectionOf, unionOf } from './algebra.js'
