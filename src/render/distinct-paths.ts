/** The one check of what is written where, for every renderer: a file over another would be a wrong authority, or a key that anybody may read. */
import { isWithin, refuseRender, shown } from './check.js'
import type { Rendered } from './rendered.js'

/**
 * What was rendered, if no path of it is named twice and none lies below a file.
 *
 * @throws {@link EtcdRbacError} `ERR_RENDER_REFUSED`
 */
export function distinctPaths<R extends Pick<Rendered, 'directories' | 'files'>>(rendered: R): R {
  const files = rendered.files.map(({ path }) => path)
  const all = [...rendered.directories.map(({ path }) => path), ...files]
  const double = all.find((path, index) => all.indexOf(path) !== index)
  if (double !== undefined) refuseRender(`two things at ${shown(double)}`, 'a path for each', 'choose another name or directory: one would be written over the other')
  for (const file of files) {
    const below = all.find((path) => path !== file && isWithin(file, path))
    if (below !== undefined) refuseRender(`${shown(below)} below the file ${shown(file)}`, 'a path for each', 'choose another directory')
  }
  return rendered
}
